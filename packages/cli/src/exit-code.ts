/** What the exit code of every command means. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  denied: 4,
  approvalPending: 5,
  timeout: 6,
  casesFailed: 100,
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** The exit codes in words, for help. */
export const EXIT_HELP = `Exit codes: 0 ok, 1 failed, 2 usage, 3 not found, 4 denied, 5 approval pending, 6 timeout, 100 cases failed, 130 interrupted.`
