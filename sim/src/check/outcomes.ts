import type { ActionProposed } from '@tidegate/kernel'
import { OPERATIONS, SHELL } from '../plan/hosts.ts'
import type { HostAnswer } from '@tidegate/runtime'
import type { Simulation } from '../run/simulation.ts'
import type { Report } from './report.ts'
import { type RunRecord, runsOf, typed } from './facts.ts'

/** What the records of a run say became of an effect. `open`: nobody knows. */
export type Told = 'nothing' | 'done' | 'absent' | 'open'

/** I4, I13 at the end: the world and the ledger tell the same story, and nothing is left open that no person was told of. */
export function checkOutcomes(sim: Simulation, report: Report): void {
  for (const [run, records] of runsOf(sim)) {
    for (const { event: proposed } of typed(records, 'action.proposed'))
      if (proposed.effect) checkAction(sim, run, records, proposed, report)
    checkCompletion(sim, run, records, report)
  }
}

function checkAction(
  sim: Simulation,
  run: string,
  records: readonly RunRecord[],
  { action, operation }: ActionProposed,
  report: Report,
): void {
  const effectId = `${run}.${action}`
  const there = sim.farSide.deedsOf(effectId).length
  const told = toldOf(records, action)
  const isQueued = typed(records, 'queue.added').some(
    ({ event }) => event.action === action && ['ambiguous', 'doubled', 'cannot_undo', 'stopped_midway'].includes(event.kind),
  )
  if (operation === SHELL.id) {
    checkPermitted(sim, { run, effectId, there, told }, report)
    return
  }
  if (told === 'done' && there !== 1)
    report('I4', `${operation} ${effectId} is recorded as done, and is in the world ${there} times`)
  if ((told === 'absent' || told === 'nothing') && there > 0 && !isQueued)
    report('I4', `${operation} ${effectId} is recorded as not done, and is in the world`)
  const canLook = OPERATIONS.find(({ id }) => id === operation)?.canReconcile === true
  const isPuzzle = typed(records, 'queue.added').some(({ event }) => event.action === action && event.kind === 'ambiguous')
  if (isPuzzle && canLook && sim.scenario.weather.look === 0)
    report('liveness', `${operation} ${effectId} is left to a person, though a look would have told`)
  const isOver = typed(records, 'run.finished').length > 0
  if (told === 'open' && isOver && !isQueued) report('I4', `${operation} ${effectId} is left open, and no person was told`)
}

interface Permitted {
  readonly run: string
  readonly effectId: string
  readonly there: number
  readonly told: Told
}

/** What a host does itself: only what it was permitted, and once; whether it did is its word. */
function checkPermitted(sim: Simulation, { run, effectId, there, told }: Permitted, report: Report): void {
  if (there > 1) report('I4', `the host did ${effectId} ${there} times`)
  if (there > 0 && told === 'nothing' && !sim.witness.requests.some(({ answer }) => isObservedPermit(answer?.told, run)))
    report('I3', `the host did ${effectId}, and no record says that it started`)
}

/** What a guard refuses has no start; who is only observed does it all the same. */
function isObservedPermit(told: HostAnswer | undefined, run: string): boolean {
  return told?.kind === 'permit' && told.run === run && told.would?.outcome === 'deny'
}

/** Reads the outcome of an effect from its records, in order. What was unknown once stays open until somebody has looked. */
export function toldOf(records: readonly RunRecord[], action: number): Told {
  let told: Told = 'nothing'
  let doubt = false
  for (const { event } of records) {
    if (!('action' in event) || event.action !== action) continue
    if (event.type === 'effect.started') told = 'open'
    if (event.type === 'effect.finished' && event.result === 'done') {
      told = 'done'
      doubt = false
    }
    if (event.type === 'effect.finished' && event.result === 'failed')
      told = event.retry === 'unknown' || doubt ? 'open' : 'absent'
    if (event.type === 'effect.ambiguous') told = 'open'
    if (event.type !== 'effect.reconciled' || event.lookAgainAtMs !== null) continue
    if (event.found === 'repeatable') doubt = true
    if (event.found === 'happened' || event.found === 'doubled') told = 'done'
    if (event.found === 'absent') told = 'absent'
    if (event.found === 'happened' || event.found === 'doubled' || event.found === 'absent') doubt = false
  }
  return told
}

/** I13: a run is completed only if its check was read from the world, and the world really answered so in that moment. */
function checkCompletion(sim: Simulation, run: string, records: readonly RunRecord[], report: Report): void {
  const opened = typed(records, 'run.opened')[0]?.event
  const finished = typed(records, 'run.finished')[0]
  if (opened === undefined || finished?.event.state !== 'completed' || opened.undoes !== null) return
  if (opened.call !== undefined) {
    // Its own answer shows it; nothing else was asked for.
    if (toldOf(records, 0) !== 'done') report('I13', `run ${run} is completed, and its call has no answer`)
    return
  }
  const plan = sim.scenario.workflows.find(({ workflow }) => workflow.name === opened.workflow)
  const check = typed(records, 'action.proposed').findLast(({ event }) => event.purpose === 'check')
  const look = sim.witness.looks.findLast(
    (seen) => seen.look === 'read' && seen.effectId === `${run}.${check?.event.action}` && seen.durable <= finished.index,
  )
  if (plan === undefined || check === undefined || look === undefined) {
    report('I13', `run ${run} is completed, and nobody looked`)
    return
  }
  const truth = look.truth as Readonly<Record<string, unknown>> // the fake far side answers objects
  for (const [pointer, expected] of Object.entries(plan.workflow.success?.expect ?? {})) {
    if (truth[pointer.slice(1)] !== expected)
      report('I13', `run ${run} is completed, but ${pointer} was ${String(truth[pointer.slice(1)])}`)
  }
  if (truth.id !== opened.sealed.input.id) report('I13', `run ${run} looked at another record`)
}
