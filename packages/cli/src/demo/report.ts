/** What a demonstration did, as `--json` prints it. */
export interface DemoReport {
  readonly runs: readonly DemoRun[]
  /** Every action that was refused. */
  readonly blocked: readonly {
    readonly run: string
    readonly operation: string
    readonly outcome: string
    readonly policies: readonly string[]
  }[]
  readonly undone: readonly { readonly run: string; readonly by: string; readonly state: string; readonly effects: number }[]
  readonly stop: DemoStop
  readonly ledger: { readonly size: number; readonly root: string; readonly checkpoint: string; readonly verified: boolean }
  /** Events that were delivered a second time, and the run that each had opened before. */
  readonly duplicates: readonly { readonly event: string; readonly run: string }[]
}

export interface DemoRun {
  readonly id: string
  readonly workflow: string
  readonly state: string
  readonly failure: string | null
  readonly effects: readonly {
    readonly action: number
    readonly operation: string
    readonly purpose: string
    readonly state: string
    readonly approval: string | null
  }[]
  readonly approvals: readonly { readonly id: string; readonly state: string }[]
  /** The ticket it is about, if it is about one. */
  readonly ticket: string | null
  readonly headline: string
  /** Why it failed or was handed over, in words; empty otherwise. */
  readonly reason: string
}

/** A stop that was raised while runs were in flight, and what was seen afterwards. */
export interface DemoStop {
  /** As the server measured it: from the request to the durable, fenced stop. */
  readonly acknowledgedMs: number
  /** As seen from here. */
  readonly roundTripMs: number
  /** Runs that were not at rest when it was acknowledged. */
  readonly runsInFlight: number
  /** Effects that had started before it. */
  readonly running: number
  /** The larger of the two counts in `measured`. */
  readonly effectsAfter: number
  /**
   * Counted while the stop was in force: actions that started after it according to the records of all runs, and calls that reached
   * the support desk after it, by the desk's own record, from runs that had nothing under way.
   */
  readonly measured: { readonly records: number; readonly desk: number; readonly watchedMs: number }
  /** Runs that went on to their end after it was lifted. */
  readonly resumed: number
}
