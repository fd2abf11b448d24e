import { integer, oneOf, optional, record, text } from './fields.ts'

/** What can be made to go wrong. `error-before` and `hang` come before the work; all others after it, or instead of its answer. */
const FAULT_MODES = ['error-before', 'error-after', 'drop-after', 'hang', 'slow', 'garbage', 'html', 'huge', 'partial'] as const

export interface Fault {
  readonly mode: (typeof FAULT_MODES)[number]
  /** How long `slow` waits before the work, and `hang` before it gives up; the other modes ignore it. */
  readonly ms: number
}

/** The faults that wait for a call. Only in memory: a restart forgets them. */
export interface FaultPlan {
  /** Plans the fault of a POST /faults body for the next `times` calls that match. */
  plan(input: unknown): { readonly match: string; readonly mode: string; readonly times: number }
  /** Takes the oldest fault planned for one of the names of a call, e.g. `POST /refunds/:id/cancel` or `POST /refunds/rf-1/cancel`. */
  take(names: readonly string[]): Fault | undefined
  clear(): void
}

const PLAN = record({
  match: text(200),
  mode: oneOf(...FAULT_MODES),
  times: optional(integer(1, 1000)),
  ms: optional(integer(1, 60_000)),
})

export function createFaultPlan(): FaultPlan {
  let planned: { readonly match: string; readonly fault: Fault; left: number }[] = []
  return {
    plan(input) {
      const { match, mode, times = 1, ms = mode === 'hang' ? 60_000 : 200 } = PLAN(input, 'body')
      planned.push({ match, fault: { mode, ms }, left: times })
      return { match, mode, times }
    },
    take(names) {
      const found = planned.find(({ match }) => names.includes(match))
      if (found === undefined) return undefined
      found.left -= 1
      planned = planned.filter(({ left }) => left > 0)
      return found.fault
    },
    clear() {
      planned = []
    },
  }
}
