import { type JsonObject, unpackFlow, valueAt } from '@tidegate/kernel'
import { OPERATIONS } from '../plan/hosts.ts'
import type { Simulation } from '../run/simulation.ts'
import { type RunRecord, runsOf, typed } from './facts.ts'
import type { Report } from './report.ts'

/** I9: what was recorded of labels never falls, and whoever touches what was written under taint is told so, in whichever life. */
export function checkLabels(sim: Simulation, report: Report): void {
  const runs = runsOf(sim)
  for (const [run, records] of runs) checkRun(run, records, report)
  // Where the clock jumps, nobody can say from the records which of two decisions came first.
  if (!sim.scenario.happenings.some(({ kind }) => kind === 'jump')) checkWritten(runs, report)
}

function checkRun(run: string, records: readonly RunRecord[], report: Report): void {
  let sources: readonly string[] = []
  let isTainted = false
  for (const { event, index } of typed(records, 'action.decided')) {
    if (event.facts === null) continue
    const flow = unpackFlow(event.facts.flow)
    if (isTainted && !flow.tainted) report('labels', `run ${run} is no longer tainted at entry ${index}`)
    const lost = sources.filter((source) => !flow.sources.includes(source))
    if (lost.length > 0) report('labels', `run ${run} has forgotten ${lost.join(', ')} at entry ${index}`)
    isTainted = flow.tainted
    ;({ sources } = flow)
  }
}

/** Call by call, in the order of the ledger: what was written under taint before a call was decided is marked on it. */
function checkWritten(runs: ReadonlyMap<string, readonly RunRecord[]>, report: Report): void {
  const starts = [...runs].flatMap(([run, records]) =>
    typed(records, 'effect.started').map((start) => ({ run, records, ...start })),
  )
  const written = new Map<string, number>()
  for (const { run, records, event, index, atMs } of starts.toSorted((a, b) => a.index - b.index)) {
    const decided = typed(records, 'action.decided').findLast((one) => one.index <= index && one.event.action === event.action)
    const decidedAtMs = decided?.event.facts?.at[0] ?? 0
    for (const record of touchedBy(records, event.action)) {
      const since = written.get(record)
      if (since !== undefined && since < decidedAtMs && event.distrusted !== true)
        report('labels', `${run}.${event.action} trusts ${record}, which was written under taint before`)
      const isTainted = unpackFlow(decided?.event.facts?.flow).tainted
      if (isTainted && isWrite(records, event.action) && since === undefined) written.set(record, atMs)
    }
  }
}

function isWrite(records: readonly RunRecord[], action: number): boolean {
  return operationOf(records, action)?.mutability !== 'read'
}

function operationOf(records: readonly RunRecord[], action: number) {
  const proposed = typed(records, 'action.proposed').find(({ event }) => event.action === action)?.event
  return OPERATIONS.find(({ id }) => id === proposed?.operation)
}

function touchedBy(records: readonly RunRecord[], action: number): readonly string[] {
  const proposed = typed(records, 'action.proposed').find(({ event }) => event.action === action)?.event
  const operation = operationOf(records, action)
  const args = proposed?.sealed.arguments as JsonObject // of what starts: it was admitted
  return (operation?.records ?? []).map((pointer) => `${operation?.tool} ${String(valueAt(args, pointer)).toLowerCase()}`)
}
