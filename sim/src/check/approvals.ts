import type { Question } from '@tidegate/kernel'
import { ROLES } from '../plan/people.ts'
import type { Simulation } from '../run/simulation.ts'
import type { Recorded } from '../run/witness.ts'
import type { Report } from './report.ts'
import { canonical, type EventOf, lastOf, type RunRecord, runsOf, sha256, typed } from './facts.ts'

/** I1, I2, I5: whatever ran under an approval ran under a good one: entitled, enough, in time, for this very action, and once. */
export function checkApprovals(sim: Simulation, report: Report): void {
  const usedBy = new Map<string, number>()
  for (const [run, records] of runsOf(sim)) {
    for (const started of typed(records, 'effect.started')) {
      const { approval, action } = started.event
      if (approval === null) continue
      const name = `effect ${run}.${action} under ${approval}`
      if ((usedBy.get(approval) ?? action) !== action) report('I2', `${name}: the approval served another effect before`)
      usedBy.set(approval, action)
      // What was recorded and not called, because a stop or the deadline came first, is no effect.
      if (!sim.witness.calls.some((call) => call.run === run && call.action === action && call.attempt === started.event.attempt))
        continue
      const opened = typed(records, 'approval.opened').find(({ event }) => event.question.id === approval)
      if (opened === undefined) report('I1', `${name}: nobody was asked`)
      else
        checkUse(sim, records, { started, question: opened.event.question }, (invariant, message) =>
          report(invariant, `${name}: ${message}`),
        )
    }
  }
}

interface Use {
  readonly started: Recorded<EventOf<'effect.started'>>
  readonly question: Question
}

function checkUse(sim: Simulation, records: readonly RunRecord[], { started, question }: Use, report: Report): void {
  const before = records.filter(({ index }) => index < started.index)
  const closings = typed(before, 'approval.closed').filter(({ event }) => event.approval === question.id)
  if (closings.at(-1)?.event.state !== 'granted') report('I5', `the approval is ${closings.at(-1)?.event.state ?? 'open'}`)
  if (started.atMs >= question.deadlineMs) report('I5', `it started ${started.atMs - question.deadlineMs} ms after the deadline`)
  if (question.action !== started.event.action || question.digest !== started.event.digest)
    report('I2', 'another action was approved')
  const decided = lastOf(records, 'action.decided', started.event.action, started.index)
  if (decided?.event.policyVersion !== question.policyVersion) report('I2', 'the policy has changed since it was asked')
  checkPreview(sim, started, question, closings.at(-1)?.index ?? 0, report)
  checkVotes(sim, before, question, report)
}

/** The world was looked at again after the grant, and what was seen is what the people saw. */
function checkPreview(
  sim: Simulation,
  started: Recorded<EventOf<'effect.started'>>,
  question: Question,
  grantedAt: number,
  report: Report,
): void {
  if (question.previewDigest === null) return
  const effectId = `${question.run}.${question.action}`
  const again = sim.witness.looks.findLast(
    (look) => look.look === 'preview' && look.effectId === effectId && look.durable <= started.index && look.durable > grantedAt,
  )
  if (again === undefined) {
    report('I2', 'nobody looked again at what it would change')
    return
  }
  if (sha256(canonical(again.truth)) !== question.previewDigest)
    report('I2', 'it would change something else than the people saw')
}

function checkVotes(sim: Simulation, before: readonly RunRecord[], question: Question, report: Report): void {
  const rule = sim.scenario.policies.find(({ version }) => version === question.policyVersion)?.rules
  const votes = typed(before, 'approval.voted').filter(({ event }) => event.approval === question.id)
  const proposed = lastOf(before, 'action.proposed', question.action)
  const asks = rule?.get(proposed?.event.operation ?? '')
  const actors = typed(before, 'run.opened')[0]?.event.actors ?? []
  const people = new Set<string>()
  for (const { event, atMs } of votes) {
    if (event.vote === 'refuse') report('I5', `${event.voter} refused`)
    if (atMs >= question.deadlineMs) report('I5', `${event.voter} voted after the deadline`)
    if (actors.includes(event.voter)) report('I1', 'the requester voted')
    if (people.has(event.voter)) report('I1', `${event.voter} voted twice`)
    people.add(event.voter)
  }
  const limits = sim.scenario.meters.flatMap(({ name, limits: [first] }) =>
    first?.then === 'ask' && question.policies.includes(`limit.${name}`) ? first.approvers : [],
  )
  const chairs = new Map<string, number>() // one person answers for a role, whoever asks for it
  for (const { role, count } of [...(asks?.kind === 'ask' ? asks.asks.flatMap((ask) => ask.approvers) : []), ...limits])
    chairs.set(role, Math.max(count, chairs.get(role) ?? 0))
  if (
    !canSeat(
      [...chairs].flatMap(([role, count]) => Array.from({ length: count }, () => role)),
      [...people],
    )
  )
    report('I1', `${[...people].join(', ')} are not enough, or not entitled`)
}

/** Everybody sits on one chair: by trying all, since there are at most three. */
function canSeat(chairs: readonly string[], people: readonly string[]): boolean {
  const [role, ...rest] = chairs
  if (role === undefined) return true
  return people.some((person, i) => ROLES.get(person)?.includes(role) === true && canSeat(rest, people.toSpliced(i, 1)))
}
