import { type Draft, type Entry, foldEntry, type RunEvent, type RunState } from '@tidegate/kernel'
import { headOf, isNewHead } from './head.ts'
import type { HarnessParts } from './parts.ts'

/** What became of an attempt to go on with a run. */
export type Committed =
  | { readonly kind: 'committed'; readonly state: RunState }
  /** Somebody else wrote first: read the run again. */
  | { readonly kind: 'conflict' }
  /** A stop was raised or lifted since the decision: decide again. */
  | { readonly kind: 'fenced' }

/**
 * Makes the next record of a run durable and folds it.
 *
 * The record is folded before it is written, so that one that breaks an invariant (I1, I2, I4) is never written at all; the fold
 * throws, and the run ends there.
 */
export async function commit(parts: Pick<HarnessParts, 'journal' | 'clock'>, state: RunState, events: readonly RunEvent[], options: { fence?: number } = {}): Promise<Committed> {
  const stream = `run/${state.opened.run}`
  const atMs = Math.max(state.updatedAtMs, parts.clock.nowMs())
  const provisional: Entry = { index: -1, stream, seq: state.seq + 1, atMs, epoch: 0, events, erased: false }
  const folded = foldEntry(state, provisional)
  const head = headOf(folded)
  const draft: Draft = {
    stream,
    expectedSeq: state.seq,
    events,
    atMs,
    ...(options.fence === undefined ? {} : { fence: options.fence }),
    ...(isNewHead(headOf(state), head) ? { head } : {}),
  }
  const result = await parts.journal.append(draft)
  if (result.kind === 'conflict') return { kind: 'conflict' }
  if (result.kind === 'fenced') return { kind: 'fenced' }
  if (result.kind === 'claimed') return { kind: 'conflict' }
  return { kind: 'committed', state: result.entry.atMs === atMs ? folded : foldEntry(state, result.entry) }
}
