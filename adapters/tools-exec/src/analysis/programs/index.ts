import type { Program, ProgramTable } from '../program.ts'
import { BUILDERS } from './builders.ts'
import { EDITORS } from './editors.ts'
import { FILES } from './files.ts'
import { GIT } from './git.ts'
import { INTERPRETERS } from './interpreters.ts'
import { LAUNCHERS } from './launchers.ts'
import { NETWORK } from './network.ts'
import { OPERATIONS } from './operations.ts'
import { PACKAGES } from './packages.ts'
import { SHELL } from './shell.ts'
import { TEXT } from './text.ts'

/** A program as the tables know it. */
export interface KnownProgram {
  readonly name: string
  readonly program: Program
}

const TABLES: readonly ProgramTable[] = [
  SHELL,
  LAUNCHERS,
  INTERPRETERS,
  FILES,
  TEXT,
  NETWORK,
  GIT,
  PACKAGES,
  BUILDERS,
  OPERATIONS,
  EDITORS,
]

const PROGRAMS: ReadonlyMap<string, Program> = new Map(
  TABLES.flatMap((table) =>
    Object.entries(table).flatMap(([names, program]) => names.split(/\s+/).map((name) => [name, program] as const)),
  ),
)

/** Finds a program by its base name, also with a version behind it (`python3.11`, `gcc-12`). Undefined when no table has it. */
export function findProgram(base: string): KnownProgram | undefined {
  for (const name of [base.replace(/-?\d+(?:\.\d+)*$/, ''), base]) {
    const program = PROGRAMS.get(name)
    if (program !== undefined) return { name, program }
  }
  return undefined
}
