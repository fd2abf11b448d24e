import type { ExitCode } from './exit-code.ts'
import type { Shell } from './shell.ts'

/** Runs one command: its module is loaded only now. */
export type Action = (shell: Shell, given: readonly string[], flags: never) => Promise<ExitCode>

/** Makes an action what the parser calls: with the shell of this process, the arguments and the flags. */
export type Bind = (action: Action) => (...args: unknown[]) => Promise<void>
