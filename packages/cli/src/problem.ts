import { ClientError } from '@tidegate/client'
import { CliError } from './error.ts'
import { EXIT, type ExitCode } from './exit-code.ts'

/** What went wrong, as `--json` prints it and as people read it, with the exit code. */
export interface Failure {
  readonly problem: {
    readonly type: string
    readonly title: string
    readonly status?: number
    readonly detail: string
    readonly code: string
  }
  readonly exit: ExitCode
}

/** Translates what a command threw. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ClientError) {
    const { problem } = error
    if (problem !== undefined) return { problem, exit: exitOfStatus(problem.status, problem.code) }
    return { problem: problemOf(error.code, error.message), exit: error.code === 'timeout' ? EXIT.timeout : EXIT.failed }
  }
  if (error instanceof CliError) return { problem: problemOf(error.code, error.message), exit: error.exit }
  if (isAnswered(error)) {
    return { problem: problemOf(error.code, error.message), exit: EXITS[error.code] ?? EXIT.failed }
  }
  if (error instanceof Error && error.name === 'AbortError')
    return {
      problem: problemOf('interrupted', 'Interrupted. What was sent to the server goes on there.'),
      exit: EXIT.interrupted,
    }
  return {
    problem: problemOf(
      'internal_error',
      `This is a defect of the command line: ${error instanceof Error ? error.message : String(error)}`,
    ),
    exit: EXIT.failed,
  }
}

/** What their codes exit with, where it is not 1. */
const EXITS: Readonly<Record<string, ExitCode>> = {
  cases_missing: EXIT.notFound,
  host_unproven: EXIT.denied,
  not_connected: EXIT.notFound,
  project_missing: EXIT.notFound,
}

/** Packages behind the commands that need no server. They are named, since importing their classes would load them. */
const ANSWERED = ['CedarError', 'ConnectError', 'EvalsError', 'ProjectError', 'ToolsError', 'WorkbenchError']

/** Whether an error is one of these packages' own: it has a code that docs/errors.md explains. */
function isAnswered(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && ANSWERED.includes(error.name) && 'code' in error && typeof error.code === 'string'
}

function exitOfStatus(status: number, code: string): ExitCode {
  if (code === 'stopped' || status === 401 || status === 403) return EXIT.denied
  if (code === 'invalid_input' || code === 'invalid_request') return EXIT.usage
  if (status === 404) return EXIT.notFound
  return status === 504 ? EXIT.timeout : EXIT.failed
}

/** A problem of our own (RFC 9457). */
export function problemOf(code: string, detail: string): Failure['problem'] {
  return { type: `urn:tidegate:problem:${code}`, title: 'The command could not be carried out', detail, code }
}
