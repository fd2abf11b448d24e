import type { Simulation } from '../run/simulation.ts'
import type { Report } from './report.ts'
import { runsOf, typed } from './facts.ts'

/** I7: between the acknowledgement of a stop and the first wish to lift it, no call in its scope reaches the world. */
export function checkStops(sim: Simulation, report: Report): void {
  const runs = runsOf(sim)
  for (const [id, stop] of sim.witness.stops) {
    for (const call of sim.witness.calls) {
      if (call.order < stop.ackedOrder || call.order > stop.liftedOrder) continue
      const opened = typed(runs.get(call.run) ?? [], 'run.opened')[0]?.event
      const covered = [
        'global',
        `agent:${opened?.agent}`,
        `workflow:${opened?.workflow}`,
        `run:${call.run}`,
        `tool:${call.operation.split('.', 1)[0]}`,
      ]
      if (covered.includes(stop.scope))
        report('I7', `${call.operation} ${call.effectId} was called after ${id} over ${stop.scope} was acknowledged`)
    }
  }
}
