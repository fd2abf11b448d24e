import type { Json } from '../canonical/json.ts'
import type { RunEvent } from '../run/event.ts'
import type { RunState } from '../run/state.ts'
import { countPlain } from './meter-track.ts'
import type { MeterSource } from './meter.ts'

/** A count that waits to be recorded. `operation` is null for what belongs to the run. */
export interface WaitingCount {
  readonly source: MeterSource
  readonly operation: string | null
  readonly arguments: Json
  readonly amount: number
}

/**
 * What the waiting events of a run count: the meters do not hold them yet. No effect starts without being recorded, so none
 * waits.
 */
export function waitingCounts(
  waiting: readonly RunEvent[],
  state: RunState,
  isUsed: ReadonlySet<MeterSource>,
): readonly WaitingCount[] {
  const counts: WaitingCount[] = []
  for (const event of waiting) {
    countPlain(event, (source, n, amount) => {
      if (!isUsed.has(source)) return
      const proposed = n === null ? undefined : state.actions[n]?.proposed
      const operation = n === null ? null : (proposed?.operation ?? '')
      counts.push({ source, operation, arguments: proposed?.sealed.arguments ?? {}, amount })
    })
  }
  return counts
}
