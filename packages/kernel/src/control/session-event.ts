/** The event of the stream `session/<id>`: one conversation of an agent that is not ours. */
export interface SessionHeard {
  /** The agent was told what a stranger wrote. Recorded once; the words themselves are not. */
  readonly type: 'session.heard'
  readonly host: string
  readonly from: 'third-party'
}
