import type { Json } from '../canonical/json.ts'
import type { ActionState, RunState } from '../run/state.ts'
import { amountOf, type OperationPlan, type ReadAt } from './meter-facts.ts'
import { mayHaveHappened } from './meter-track.ts'
import type { Meter } from './meter.ts'

/** A meter with what reads its arguments; both null where it looks at none. */
export interface RunCounter {
  readonly at: number
  readonly meter: Meter
  readonly readSum: ReadAt | null
  readonly readKey: ReadAt | null
}

/** The action that is decided, as far as counts within its run depend on it. */
export interface ActionNow {
  readonly operation: string
  readonly arguments: Json
  /** Its number, if it is recorded already: its earlier attempts are counted with it. */
  readonly recorded: number | null
}

/**
 * What a meter with the window `run` counts so far, without the action under decision: read from the run's own records, so it is
 * exact after a crash and includes what waits to be recorded.
 */
export function countInRun(
  counter: RunCounter,
  state: RunState,
  now: ActionNow,
  planFor: (operation: string) => OperationPlan,
): number {
  const { at, meter, readSum } = counter
  if (meter.of === 'steps') return state.spent.steps
  if (meter.of === 'tokens') return state.spent.tokens
  if (meter.of === 'cost') return state.spent.costMicros
  let count = 0
  for (const action of state.actions) {
    if (planFor(action.proposed.operation).isCounted[at] !== true || !isSameKey(counter, action, now, planFor)) continue
    const times = timesOf(meter, action, state, action.n === now.recorded)
    if (times > 0) count += times * (readSum === null ? 1 : amountOf(readSum(action.proposed.sealed.arguments)))
  }
  return count
}

function timesOf({ of }: Meter, action: ActionState, state: RunState, isNow: boolean): number {
  switch (of) {
    case 'calls':
      return action.attempts
    case 'effects': // one that is tried again counts with the action under decision
      return isNow || !mayHaveHappened(action) ? 0 : action.found === 'doubled' ? 2 : 1
    case 'successes':
      return action.state === 'done' || action.state === 'undone' ? 1 : 0
    case 'failures':
      return action.failures
    case 'proposals':
      return isNow ? 0 : 1
    case 'denials':
      return action.decision?.outcome === 'deny' ? 1 : 0
    case 'asks':
      return [...state.approvals.values()].filter(({ question }) => question.action === action.n).length
    default:
      return 0
  }
}

function isSameKey(
  { meter, readKey }: RunCounter,
  { proposed }: ActionState,
  now: ActionNow,
  planFor: (operation: string) => OperationPlan,
): boolean {
  if (readKey !== null) return isSame(readKey(proposed.sealed.arguments), readKey(now.arguments))
  if (meter.per === 'operation') return proposed.operation === now.operation
  return meter.per !== 'tool' || planFor(proposed.operation).tool === planFor(now.operation).tool
}

/** Scalars name records; what is no scalar is the same as everything (strict). */
function isSame(a: Json | undefined, b: Json | undefined): boolean {
  const isScalar = (value: Json | undefined): boolean => value === null || typeof value !== 'object'
  return isScalar(a) && isScalar(b) ? a === b : true
}
