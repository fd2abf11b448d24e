import { amountOf, type ReadAt } from './meter-facts.ts'
import type { MeterRequest } from './meter-book.ts'
import type { RunTrack } from './meter-track.ts'
import type { Meter } from './meter.ts'

/** What is known of the action under decision. */
export interface Own {
  readonly request: MeterRequest
  readonly track: RunTrack
}

/** What the action adds to a meter that counts its operation, if it runs. */
export function ownAmount(meter: Meter, readSum: ReadAt | null, { request, track }: Own): number {
  const times = ownTimes(meter, request, track)
  return times === 0 || readSum === null ? times : times * amountOf(readSum(request.arguments))
}

function ownTimes({ of, window }: Meter, { operation, action, isNew }: MeterRequest, track: RunTrack): number {
  switch (of) {
    case 'calls':
      return 1
    case 'effects':
      if (operation.mutability === 'read') return 0
      // An earlier attempt that is still in doubt counts already; within the run it is counted here instead.
      return window.kind !== 'run' && (track.actions[action]?.countedAtMs ?? null) !== null ? 0 : 1
    case 'proposals':
    case 'steps':
      return isNew ? 1 : 0
    default:
      return 0
  }
}
