import { type JsonObject, unpackFlow, type ValueEndorsed } from '@tidegate/kernel'
import { isTargeted, TARGET_APPROVERS } from '../plan/declassify.ts'
import { ROLES } from '../plan/people.ts'
import type { Simulation } from '../run/simulation.ts'
import { type RunRecord, runsOf, typed } from './facts.ts'
import type { Report } from './report.ts'

/**
 * I9: a target that only a stranger named counts as named exactly where somebody entitled said so before, for this value and this sink in this
 * run: by endorsing it, or by approving a call (or a planned call) to it.
 */
export function checkDeclassified(sim: Simulation, report: Report): void {
  for (const [run, records] of runsOf(sim)) {
    const opened = typed(records, 'run.opened')[0]?.event
    const plan = sim.scenario.workflows.find(({ workflow }) => workflow.name === opened?.workflow)
    if (plan?.workflow.inputOrigins['/id'] !== 'third-party' || opened?.undoes !== null) continue
    checkEndorsers(run, records, opened.actors, report)
    for (const { event, index } of typed(records, 'action.decided')) {
      const proposed = typed(records, 'action.proposed').find((each) => each.event.action === event.action)?.event
      if (event.facts === null || proposed?.purpose !== 'act' || !isTargeted(proposed.operation)) continue
      const { operation, sealed } = proposed
      const id = String((sealed.arguments as JsonObject).id) // it was admitted
      const isNamed = unpackFlow(event.facts.flow).sinks === 'named'
      const before = records.filter((record) => record.index < index)
      const endorsed = isEndorsed(before, operation, id)
      if (isNamed && !endorsed && !wasApproved(before, operation, id))
        report('labels', `${run}.${event.action} trusts a target that nobody has endorsed for ${operation}`)
      if (!isNamed && endorsed) report('labels', `${run}.${event.action} does not know that its target is endorsed`)
    }
  }
}

/** An endorsement needs somebody who may, and who has not asked for it. */
function checkEndorsers(run: string, records: readonly RunRecord[], actors: readonly string[], report: Report): void {
  for (const { event, atMs } of typed(records, 'value.endorsed')) {
    const question = typed(records, 'approval.opened').find((opened) => opened.event.question.id === event.approval)?.event
      .question
    if (question === undefined) report('I1', `${event.voter} endorsed something in run ${run}, and nobody was asked`)
    else if (atMs >= question.deadlineMs) report('I5', `${event.voter} endorsed something in run ${run} after the deadline`)
    if (actors.includes(event.voter)) report('I1', `${event.voter} asked for run ${run}, and endorsed something in it`)
  }
}

/** One person of each role of the question has endorsed this value for this sink; counted from a list of people. */
function isEndorsed(before: readonly RunRecord[], operation: string, id: string): boolean {
  const said = typed(before, 'value.endorsed')
    .map(({ event }) => event)
    .filter((event) => event.operation === operation && event.pointer === '/id' && event.sealed.value === id)
  return [...Map.groupBy(said, ({ approval }) => approval).values()].some(isEnough)
}

function isEnough(said: readonly ValueEndorsed[]): boolean {
  const chairs = (said[0]?.approvers ?? []).flatMap(({ role, count }) => Array.from({ length: count }, () => role))
  const people = [...new Set(said.map(({ voter }) => voter))]
  return TARGET_APPROVERS.every(({ role }) => chairs.includes(role)) && canSeat(chairs, people)
}

/** Everybody sits on one chair: by trying all, since there are at most three. */
export function canSeat(chairs: readonly string[], people: readonly string[]): boolean {
  const [role, ...rest] = chairs
  if (role === undefined) return true
  return people.some((person, i) => ROLES.get(person)?.includes(role) === true && canSeat(rest, people.toSpliced(i, 1)))
}

/** A call to it has started under an approval. */
function wasApproved(before: readonly RunRecord[], operation: string, id: string): boolean {
  const actions = typed(before, 'action.proposed')
    .filter(({ event }) => event.operation === operation && (event.sealed.arguments as JsonObject).id === id)
    .map(({ event }) => event.action)
  return typed(before, 'effect.started').some(({ event }) => event.approval !== null && actions.includes(event.action))
}
