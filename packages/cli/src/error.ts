import { EXIT, type ExitCode } from './exit-code.ts'

/** What can go wrong before the server is even asked, and the exit code of each. */
const EXIT_OF_CODE = {
  confirmation_needed: EXIT.usage,
  demo_failed: EXIT.failed,
  desk_start_failed: EXIT.failed,
  directory_not_empty: EXIT.failed,
  draft_failed: EXIT.failed,
  file_unreadable: EXIT.failed,
  id_ambiguous: EXIT.usage,
  interrupted: EXIT.interrupted,
  not_confirmed: EXIT.denied,
  project_not_found: EXIT.notFound,
  server_not_running: EXIT.failed,
  server_running: EXIT.failed,
  server_start_failed: EXIT.failed,
  token_not_found: EXIT.notFound,
  usage_invalid: EXIT.usage,
  wait_timeout: EXIT.timeout,
} as const satisfies Record<string, ExitCode>

export type CliErrorCode = keyof typeof EXIT_OF_CODE

/** Every code that {@link CliError} carries. A code is API: added, never renamed; docs/errors.md explains each. */
// Sound: the keys of a literal are its codes.
export const CLI_ERROR_CODES = Object.keys(EXIT_OF_CODE) as readonly CliErrorCode[]

/** Thrown by a command that cannot go on; the message says what to do. */
export class CliError extends Error {
  readonly code: CliErrorCode

  constructor(code: CliErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CliError'
    this.code = code
  }

  get exit(): ExitCode {
    return EXIT_OF_CODE[this.code]
  }
}
