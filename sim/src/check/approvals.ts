import type { Question } from '@tidegate/kernel'
import { TARGET_APPROVERS, TARGET_RULE } from '../plan/declassify.ts'
import type { Simulation } from '../run/simulation.ts'
import type { Recorded } from '../run/witness.ts'
import type { Report } from './report.ts'
import { canSeat } from './declassified.ts'
import { canonical, type EventOf, lastOf, type RunRecord, runsOf, sha256, typed } from './facts.ts'

/**
 * I1, I2, I5: whatever ran under an approval ran under a good one: entitled, enough, in time, for this very action, and once. A call that was
 * approved as a part of a plan serves once as well, and those who said yes have said it to the plan.
 */
export function checkApprovals(sim: Simulation, report: Report): void {
  const usedBy = new Map<string, number>()
  for (const [run, records] of runsOf(sim)) {
    for (const started of typed(records, 'effect.started')) {
      const { approval, action } = started.event
      if (approval === null) continue
      const name = `effect ${run}.${action} under ${approval}`
      const opened = typed(records, 'approval.opened').find(({ event }) => event.question.id === approval)
      const isOwn = opened?.event.question.action === action
      const use = isOwn ? approval : `${approval} ${started.event.digest}`
      if ((usedBy.get(use) ?? action) !== action) report('I2', `${name}: the approval served another effect before`)
      usedBy.set(use, action)
      // What was recorded and not called, because a stop or the deadline came first, is no effect.
      if (!sim.witness.calls.some((call) => call.run === run && call.action === action && call.attempt === started.event.attempt))
        continue
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
  const { action, digest } = started.event
  const isOwn = question.action === action
  const planned = isOwn ? undefined : question.plan?.calls.find((call) => call.digest === digest)
  if (isOwn ? question.digest !== digest : planned === undefined) report('I2', 'another action was approved')
  const decided = lastOf(records, 'action.decided', started.event.action, started.index)
  if (decided?.event.policyVersion !== question.policyVersion) report('I2', 'the policy has changed since it was asked')
  const asked = planned === undefined ? question : { ...question, action, previewDigest: planned.previewDigest }
  checkPreview(sim, started, asked, closings.at(-1)?.index ?? 0, report)
  const operation = lastOf(records, 'action.proposed', action)?.event.operation ?? ''
  const policies = planned?.policies ?? question.policies
  checkVotes(sim, before, { question: { ...asked, policies }, operation, isPlan: planned !== undefined }, report)
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

interface Voted {
  readonly question: Question
  /** What it let start. */
  readonly operation: string
  /** Not the call that it was asked about, but another one of the plan. */
  readonly isPlan: boolean
}

function checkVotes(sim: Simulation, before: readonly RunRecord[], { question, operation, isPlan }: Voted, report: Report): void {
  const rule = sim.scenario.policies.find(({ version }) => version === question.policyVersion)?.rules
  const votes = typed(before, 'approval.voted').filter(({ event }) => event.approval === question.id)
  const asks = rule?.get(operation)
  const actors = typed(before, 'run.opened')[0]?.event.actors ?? []
  const all = new Set<string>()
  const people = new Set<string>()
  for (const { event, atMs } of votes) {
    if (event.vote === 'refuse') report('I5', `${event.voter} refused`)
    if (atMs >= question.deadlineMs) report('I5', `${event.voter} voted after the deadline`)
    if (actors.includes(event.voter)) report('I1', 'the requester voted')
    if (all.has(event.voter)) report('I1', `${event.voter} voted twice`)
    all.add(event.voter)
    if (!isPlan || event.plan === true) people.add(event.voter) // who was not shown the plan has not said yes to it
  }
  const limits = sim.scenario.meters.flatMap(({ name, limits: [first] }) =>
    first?.then === 'ask' && question.policies.includes(`limit.${name}`) ? first.approvers : [],
  )
  const targets = question.policies.includes(TARGET_RULE) ? TARGET_APPROVERS : []
  const chairs = new Map<string, number>() // one person answers for a role, whoever asks for it
  for (const { role, count } of [
    ...(asks?.kind === 'ask' ? asks.asks.flatMap((ask) => ask.approvers) : []),
    ...limits,
    ...targets,
  ])
    chairs.set(role, Math.max(count, chairs.get(role) ?? 0))
  if (
    !canSeat(
      [...chairs].flatMap(([role, count]) => Array.from({ length: count }, () => role)),
      [...people],
    )
  )
    report('I1', `${[...people].join(', ')} are not enough, or not entitled`)
}
