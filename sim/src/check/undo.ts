import type { Simulation } from '../run/simulation.ts'
import type { Report } from './report.ts'
import { type RunRecord, runsOf, typed } from './facts.ts'

/** What was done is taken back last first, and each thing once. */
export function checkUndo(sim: Simulation, report: Report): void {
  const runs = runsOf(sim)
  checkOnce(sim, runs, report)
  for (const [run, records] of runs) {
    const attempts = typed(records, 'action.proposed').filter(({ event }) => event.purpose === 'compensate')
    const order = attempts.map(({ event }) => event.compensates ?? -1)
    if (order.some((n, i) => i > 0 && n >= (order[i - 1] ?? 0)))
      report('undo', `run ${run} takes back ${order.join(', ')}: not the last first, or one twice`)
    const opened = typed(records, 'run.opened')[0]?.event
    const isDone = typed(records, 'run.finished')[0]?.event.state === 'completed'
    if (opened === undefined || opened.undoes === null || !isDone) continue
    for (const step of opened.sealed.undo) {
      const action = attempts.find(({ event }) => event.compensates === step.action)?.event.action
      if (action !== undefined && !wasSeen(sim, run, action))
        report('I13', `run ${run} is completed, but nobody saw effect ${step.action} taken back`)
    }
    checkMarked(runs.get(opened.undoes) ?? [], run, report)
  }
}

/** Nothing is taken back twice, not even by the run and by the one that undoes it, once it was seen to be taken back. */
function checkOnce(sim: Simulation, runs: ReadonlyMap<string, readonly RunRecord[]>, report: Report): void {
  const seen = new Set<string>()
  for (const [run, records] of runs) {
    const source = typed(records, 'run.opened')[0]?.event.undoes ?? run
    for (const { event } of typed(records, 'action.proposed')) {
      if (event.compensates === null || !sim.witness.landings.some(({ effectId }) => effectId === `${run}.${event.action}`))
        continue
      const key = `${source}.${event.compensates}`
      if (seen.has(key)) report('undo', `effect ${key} was taken back twice`)
      if (typed(records, 'effect.verified').some((verified) => verified.event.action === event.action && verified.event.holds))
        seen.add(key)
    }
  }
}

function wasSeen(sim: Simulation, run: string, action: number): boolean {
  return sim.witness.looks.some((look) => look.look === 'verify' && look.effectId === `${run}.${action}` && look.truth === true)
}

function checkMarked(source: readonly RunRecord[], by: string, report: Report): void {
  const marks = typed(source, 'run.undone')
  if (marks.length !== 1 || marks[0]?.event.by !== by) report('undo', `the run that ${by} has undone does not say so once`)
}
