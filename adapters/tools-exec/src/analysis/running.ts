import type { Field } from './field.ts'
import type { Invocation, Outcome, Shell } from './outcome.ts'
import type { Program } from './program.ts'

/** A program at work: its entry in the table, its arguments, and who else can be asked. */
export interface Running {
  readonly name: string
  readonly program: Program
  readonly args: readonly Field[]
  readonly invocation: Invocation
  readonly shell: Shell
  /** Runs a command that stands as words. */
  readonly run: (fields: readonly Field[], changes: Partial<Invocation>) => Outcome
}
