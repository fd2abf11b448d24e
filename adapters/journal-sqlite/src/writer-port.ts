import type { LedgerHead } from '@tidegate/kernel'
import type { Placement, Record } from './writer.ts'

/** What the journal asks of whoever writes, in this thread or in another. */
export interface WriterPort {
  readonly head: LedgerHead
  /** How many commits may be asked for before the first is answered. */
  readonly ahead: number
  readonly write: (records: readonly Record[]) => readonly Placement[] | Promise<readonly Placement[]>
  readonly erase: (stream: string) => void | Promise<void>
  readonly close: () => void | Promise<void>
}
