import { unpackFlow } from '@tidegate/kernel'
import type { Simulation } from '../run/simulation.ts'
import { typed } from './facts.ts'
import { type CallRun, callRunsOf, eventOf, isRead, sessionIdOf } from './hosts.ts'
import type { Report } from './report.ts'

/** Something a stranger may have written, and the conversation that an agent has seen it in. */
interface Shown {
  readonly order: number
  readonly session: string
  readonly what: string
}

/** I9: what an agent was shown in a conversation taints the calls that it makes there later, in whichever life. */
export function checkConversations(sim: Simulation, report: Report): void {
  if (sim.scenario.hosts.length === 0) return
  const runs = callRunsOf(sim)
  const shown = shownIn(sim, runs)
  for (const { run, records, event, mark, openedAt } of runs) {
    const request = sim.witness.requests.findLast((one) => eventOf(one) === event && one.durable <= openedAt)
    if (request === undefined) continue
    const before = shown.find((one) => one.session === mark.session && one.order < request.order)
    if (before === undefined) continue
    for (const { event: decided } of typed(records, 'action.decided'))
      if (decided.facts !== null && !unpackFlow(decided.facts.flow).tainted)
        report('labels', `run ${run} is not tainted, though its agent has seen ${before.what} before`)
  }
}

function shownIn({ witness }: Simulation, runs: readonly CallRun[]): readonly Shown[] {
  const sessions = new Map(runs.map(({ run, mark }) => [run, mark.session]))
  const reads = witness.requests.flatMap(({ answer, operation }): readonly Shown[] => {
    if (answer?.told.kind !== 'done' || !isRead(operation)) return []
    const session = sessions.get(answer.told.run)
    return session === undefined ? [] : [{ order: answer.order, session, what: `the answer of ${answer.told.run}` }]
  })
  // What a host does itself shows its agent something, whether we are told of it or not.
  const own = witness.hostDeeds.map(
    ({ order, run, host, session }): Shown => ({
      order,
      session: sessionIdOf({ host, session }),
      what: `what came of ${run}`,
    }),
  )
  const heard = witness.heard.map(
    ({ order, host, session }): Shown => ({
      order,
      session: sessionIdOf({ host, session }),
      what: 'a stranger’s words',
    }),
  )
  return [...reads, ...own, ...heard]
}
