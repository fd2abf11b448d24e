import { BUILTINS } from './builtins.ts'
import { type Field, originOf, patternOf, textOf, unknown } from './field.ts'
import type { Invocation, Outcome, Shell } from './outcome.ts'
import { PROGRAM_FOLDERS } from './path-table.ts'
import { findProgram } from './programs/index.ts'
import { known } from './redirect.ts'
import { runScript } from './run-code.ts'
import { runProgram } from './run-program.ts'
import type { Running } from './running.ts'
import { scan } from './touch.ts'

/** Words in the place of a program that are in no table; nobody but a person may say what they do. */
const STRANGE = /[^\x20-\x7e]/

/** Looks at one command: finds out which program it is, notes it, and asks the tables what it does. */
export function runInvocation(invocation: Invocation, shell: Shell): Outcome {
  const { state } = invocation
  const [first, ...args] = invocation.fields
  if (first === undefined) return { ok: state, fail: state, out: [[]] }
  for (const field of invocation.fields) {
    const origin = originOf(field)
    if (origin === 'derived') shell.findings.category('obfuscated')
    if (origin === 'content') shell.findings.category('dynamic-argument')
    // The shell itself looks into folders for a pattern, whoever gets the names.
    if (field.some((piece) => piece.kind === 'glob') && /^[/~.]/.test(patternOf(field)) && patternOf(field).includes('/')) {
      shell.findings.path(field, 'read', state.cwds)
    }
  }
  const program = textOf(first)
  const base = program === null ? null : baseOf(program)
  shell.findings.command({
    program,
    base: program === null ? null : (findProgram(base ?? '')?.name ?? base),
    arguments: args.map(known),
    redirections: invocation.redirections,
    assignments: invocation.assignments,
    via: invocation.via,
  })
  if (program === null || base === null) return unknownProgram(first, args, invocation, shell)
  if (STRANGE.test(program)) shell.findings.category('obfuscated')
  const called = program.includes('/') ? null : shell.call(program, invocation.temporary, args, invocation.via)
  if (called !== null) {
    const running = runningOf('function', {}, args, invocation, shell)
    for (const field of args) scan(field, running)
    if (findProgram(program) !== undefined || Object.hasOwn(BUILTINS, program)) shell.findings.category('obfuscated')
    return called
  }
  if (program.includes('/') && !PROGRAM_FOLDERS.has(program.slice(0, program.lastIndexOf('/'))))
    return runFile(first, program, args, invocation, shell)
  const entry = findProgram(base)
  const running = runningOf(entry?.name ?? base, entry?.program ?? {}, args, invocation, shell)
  const builtin = Object.hasOwn(BUILTINS, base) ? BUILTINS[base] : undefined
  if (builtin !== undefined) return builtin(running)
  if (entry === undefined) return unlisted(running)
  return runProgram(running)
}

function baseOf(program: string): string {
  return program.slice(program.lastIndexOf('/') + 1)
}

function runningOf(
  name: string,
  program: Running['program'],
  args: readonly Field[],
  invocation: Invocation,
  shell: Shell,
): Running {
  return {
    name,
    program,
    args,
    invocation,
    shell,
    run: (fields, changes) =>
      runInvocation(
        {
          ...invocation,
          ...changes,
          fields,
          via: changes.via ?? [...invocation.via, name],
          assignments: [],
          temporary: changes.state ?? invocation.temporary,
          redirections: [],
        },
        shell,
      ),
  }
}

function unknownProgram(first: Field, args: readonly Field[], invocation: Invocation, shell: Shell): Outcome {
  shell.findings.reason('dynamic-program')
  if (first.some((piece) => piece.kind === 'glob') || originOf(first) === 'derived') shell.findings.category('obfuscated')
  const running = runningOf('unknown', {}, args, invocation, shell)
  for (const field of args) scan(field, running)
  return { ok: invocation.state, fail: invocation.state, out: [unknown('content')] }
}

/** A program by its path: code of the workspace, or something that lies where programs do not. */
function runFile(first: Field, program: string, args: readonly Field[], invocation: Invocation, shell: Shell): Outcome {
  const running = runningOf(baseOf(program), {}, args, invocation, shell)
  // The loader runs whatever program it is given.
  if (/^ld(?:-linux[\w.-]*|-musl[\w.-]*|\.so[\d.]*)$/.test(baseOf(program))) {
    shell.findings.category('execution-hook')
    return running.run(args, {})
  }
  const listed = findProgram(baseOf(program))
  // A copy or a package's own copy of a known program does what the known one does, or worse.
  if (listed !== undefined && listed.program.output !== 'none')
    runProgram({ ...running, name: listed.name, program: listed.program })
  runScript('shell', first, running, { isProgram: true })
  for (const field of args) scan(field, running)
  return { ok: invocation.state, fail: invocation.state, out: [unknown('content')] }
}

function unlisted(running: Running): Outcome {
  const { shell, invocation, args } = running
  shell.findings.category('unknown-program')
  shell.findings.reach('unknown')
  shell.findings.mutability('write')
  for (const field of args) scan(field, running)
  return { ok: invocation.state, fail: invocation.state, out: [unknown('content')] }
}
