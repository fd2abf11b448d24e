/** One thing worth telling the operator. Never holds a secret or the content of a run. */
export interface LogLine {
  readonly level: 'info' | 'warning' | 'error'
  readonly message: string
  readonly run?: string
  readonly code?: string
}

/** Takes lines for the operator; never throws. */
export type Log = (line: LogLine) => void
