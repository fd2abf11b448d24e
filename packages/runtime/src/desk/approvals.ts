import { type Approval, decideVote, isPlanApproved, type RunEvent, type RunState } from '@tidegate/kernel'
import type { ApprovalView, Person, PlanView, VoteAnswer } from '../api.ts'
import { commit } from '../harness/commit.ts'
import type { Harness } from '../harness/harness.ts'
import type { HarnessParts } from '../harness/parts.ts'

/** The run that an approval belongs to: the part of its id before the first dot. */
export function runOfApproval(id: string): string {
  return id.split('.', 1)[0] ?? ''
}

/** An approval with what people need in order to decide. */
export function viewOf(parts: Pick<HarnessParts, 'registry'>, state: RunState, approval: Approval): ApprovalView {
  const action = state.actions[approval.question.action]
  const operation = action === undefined ? undefined : parts.registry.find(action.proposed.operation)
  return {
    approval,
    workflow: state.opened.workflow,
    operation: action?.proposed.operation ?? '',
    title: operation?.title ?? action?.proposed.operation ?? '',
    goal: action?.proposed.sealed.goal ?? '',
    justification: action?.proposed.sealed.justification ?? '',
    arguments: action?.proposed.sealed.arguments ?? null,
    preview: action?.preview?.value ?? null,
    reasons: action?.asked.map((policy) => policy.reason) ?? [],
    risk: operation?.risk ?? 'critical',
    reversibility: operation?.reversibility ?? 'irreversible',
    plan: planOf(parts, state, approval),
  }
}

/** What the question covers besides its own action. */
function planOf({ registry }: Pick<HarnessParts, 'registry'>, state: RunState, approval: Approval): PlanView | null {
  const { id, plan } = approval.question
  if (plan === undefined) return null
  const calls = (state.plans.get(id) ?? []).map(({ operation: name, digest, policies, arguments: args, preview, usedBy }) => {
    const operation = registry.find(name)
    const { title = name, risk = 'critical', reversibility = 'irreversible' } = operation ?? {}
    return { operation: name, title, risk, reversibility, digest, policies, arguments: args, preview, usedBy }
  })
  return { digest: plan.digest, isApproved: isPlanApproved(approval), calls }
}

/**
 * Counts one vote, or says why it does not count. The vote and what it leads to are one record; two people who vote at once are
 * put in order, and the second finds what the first has left.
 */
export function castVote(
  parts: HarnessParts,
  harness: Harness,
  id: string,
  ballot: { person: Person; vote: 'approve' | 'refuse'; why: string; digest: string },
): Promise<VoteAnswer> {
  const run = runOfApproval(id)
  return harness.exclusively(run, async (state) => {
    const approval = state?.approvals.get(id)
    if (state?.phase === 'finished')
      return { kind: 'rejected', code: 'approval_closed', message: 'the run has ended, and its questions with it' }
    if (state === undefined || approval === undefined)
      return { kind: 'rejected', code: 'not_found', message: `there is no approval ${id}` }
    const { person, vote, why, digest } = ballot
    const nowMs = Math.max(parts.clock.nowMs(), state.updatedAtMs)
    const decision = decideVote(approval, { voter: person.id, roles: person.roles, vote, why, digest }, nowMs)
    if (decision.kind === 'rejected') return decision
    const events: RunEvent[] = [
      {
        ...{ type: 'approval.voted', approval: id, voter: person.id, roles: person.roles, vote, sealed: { why } },
        ...(decision.vote.plan === true ? { plan: true } : {}),
      },
    ]
    if (decision.after !== 'open')
      events.push({
        type: 'approval.closed',
        approval: id,
        state: decision.after,
        why: decision.after === 'granted' ? 'enough entitled people said yes' : 'an entitled person said no',
      })
    const committed = await commit(parts, state, events)
    if (committed === 'conflict')
      return {
        kind: 'rejected',
        code: 'approval_closed',
        message: 'somebody else changed this run in the same moment; look again',
      }
    return { kind: 'counted', state: decision.after, run }
  })
}
