import { isDeepStrictEqual } from 'node:util'
import { foldRun } from '@tidegate/kernel'
import type { Simulation } from '../run/simulation.ts'
import type { Report } from './report.ts'
import { runsOf, typed } from './facts.ts'

/** I12 and liveness: a replay gives the state that was live, every event has its one run, and every run rests or is held. */
export function checkRest(sim: Simulation, report: Report): void {
  checkTriggers(sim, report)
  const inForce = stopsInForce(sim)
  for (const [run, records] of runsOf(sim)) {
    const replayed = foldRun(sim.disk.entries.filter((entry) => entry.stream === `run/${run}`))
    const live = sim.witness.states.get(run)
    if (live?.seq === replayed.seq && !isDeepStrictEqual(live, replayed))
      report('I12', `a replay of run ${run} gives another state than it had`)
    const finished = typed(records, 'run.finished')
    if (finished.length > 1) report('I12', `run ${run} finished ${finished.length} times`)
    if (finished[0]?.event.failure === 'defect') report('defect', `run ${run} ended by a defect`)
    const after = records.filter(({ index }) => index > (finished[0]?.index ?? Number.POSITIVE_INFINITY))
    const stray = after.find(({ event }) => event.type !== 'run.undone' && event.type !== 'queue.resolved')
    if (stray !== undefined) report('liveness', `run ${run} has ${stray.event.type} after its end`)
    if (finished.length === 1) continue
    const held = records.findLast(({ event }) => event.type === 'run.held' || event.type === 'run.resumed')?.event
    if (held?.type !== 'run.held') report('liveness', `run ${run} neither rests nor is held: ${records.at(-1)?.event.type}`)
    else if (!inForce.has(held.stop)) report('liveness', `run ${run} is held by ${held.stop}, which is lifted`)
  }
}

function stopsInForce({ disk }: Simulation): ReadonlySet<string> {
  const stops = new Set<string>()
  for (const event of disk.entries.flatMap((entry) => entry.events)) {
    if (event.type === 'stop.raised') stops.add(event.stop)
    if (event.type === 'stop.lifted') stops.delete(event.stop)
  }
  return stops
}

function checkTriggers(sim: Simulation, report: Report): void {
  for (const [event, runs] of sim.witness.triggered) {
    if (runs.size !== 1) report('liveness', `event ${event} was answered with ${runs.size} runs`)
  }
  const seen = new Map<string, number>()
  for (const records of runsOf(sim).values()) {
    const opened = typed(records, 'run.opened')[0]?.event
    if (opened === undefined) continue
    const key = `${opened.trigger.source}/${opened.trigger.event}`
    seen.set(key, (seen.get(key) ?? 0) + 1)
  }
  for (const [event, count] of seen) if (count > 1) report('liveness', `event ${event} has ${count} runs`)
}
