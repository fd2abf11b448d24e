import type { Simulation } from '../run/simulation.ts'
import type { Report } from './report.ts'
import { runsOf, typed } from './facts.ts'

/** What lists show is what the records say, and no question outlives its run. */
export function checkLists(sim: Simulation, report: Report): void {
  for (const [run, records] of runsOf(sim)) {
    const head = sim.disk.heads.get(run)
    const finished = typed(records, 'run.finished')[0]
    const closed = new Set(typed(records, 'approval.closed').map(({ event }) => event.approval))
    const open = typed(records, 'approval.opened').filter(({ event }) => !closed.has(event.question.id))
    const resolved = new Set(typed(records, 'queue.resolved').map(({ event }) => event.item))
    const items = typed(records, 'queue.added').filter(({ event }) => !resolved.has(event.item))
    if (finished !== undefined && head?.state !== finished.event.state)
      report('lists', `run ${run} is ${finished.event.state}, and listed as ${head?.state}`)
    if (head?.openApprovals.length !== open.length)
      report('lists', `run ${run} has ${open.length} open questions, and ${head?.openApprovals.length} are listed`)
    if (head?.openItems !== items.length)
      report('lists', `run ${run} has ${items.length} open items, and ${head?.openItems} are listed`)
    if (finished !== undefined && open.length > 0) report('lists', `run ${run} has ended, and still asks`)
    const late = typed(records, 'approval.voted').find(({ index }) => finished !== undefined && index > finished.index)
    if (late !== undefined) report('lists', `${late.event.voter} voted in run ${run} after its end`)
  }
}
