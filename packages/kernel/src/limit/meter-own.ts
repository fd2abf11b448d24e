import { amountOf, type ReadAt } from './meter-facts.ts'
import type { MeterRequest } from './meter-book.ts'
import { mayHaveHappened, type RunTrack } from './meter-track.ts'
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

function ownTimes({ of, window }: Meter, { operation, action, isNew, state }: MeterRequest, track: RunTrack): number {
  switch (of) {
    case 'calls':
      return 1
    case 'effects':
      if (operation.mutability === 'read') return 0
      // An earlier attempt that is still in doubt counts already; within the run it is counted here instead.
      return window.kind !== 'run' && (track.actions[action]?.countedAtMs ?? null) !== null && !isGivenBack(state, action) ? 0 : 1
    case 'proposals':
    case 'steps':
      return isNew ? 1 : 0
    default:
      return 0
  }
}

/** What waits to be recorded says that nothing happened: the count of the earlier attempt goes with the record that counts this one. */
function isGivenBack({ actions }: MeterRequest['state'], action: number): boolean {
  const known = actions[action]
  return known !== undefined && !mayHaveHappened(known)
}
