/** What anything on the wire may measure. Requests that exceed it are refused; answers that exceed it are not believed. */
export const WIRE_LIMITS = {
  /** Characters of an id: of a run, an approval, a person, a stop, an operation. */
  id: 200,
  /** Characters of a reason that a person gives. */
  why: 1_000,
  /** Characters of one line for people. */
  line: 2_000,
  /** Characters of a longer text: a justification, a checkpoint, a receipt. */
  text: 262_144,
  /** Items of one list. */
  items: 10_000,
  /** Runs in one answer. */
  runsPerPage: 500,
  /** The longest that one call waits for a run to settle. */
  settleMs: 60_000,
  /** Characters of a path on the machine of the server. */
  path: 1_000,
} as const
