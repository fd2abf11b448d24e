import type * as EndorsementModule from '../../packages/kernel/src/approval/endorsement.ts'
import type * as PlanModule from '../../packages/kernel/src/approval/plan.ts'
import type * as PlanApprovalModule from '../../packages/runtime/src/harness/plan-approval.ts'
import type { PlannedRun } from '@tidegate/kernel'
import { active } from './active-mutation.ts'

const is = (name: string): boolean => active.name === name

export function mutatePlan(original: typeof PlanModule): typeof PlanModule {
  const seen = (run: PlannedRun): PlannedRun => {
    if (is('a planned call is never used up')) return { ...run, plans: unused(run) }
    return is('a yes to one call covers the plan') ? { ...run, approvals: allOfIt(run) } : run
  }
  return {
    ...original,
    approvedCall: (run, action) => original.approvedCall(seen(run), action),
    usePlanned: (run, use) => original.usePlanned(seen(run), use),
  }
}

function unused({ plans }: PlannedRun): PlannedRun['plans'] {
  return new Map([...plans].map(([id, calls]) => [id, calls.map((call) => ({ ...call, usedBy: null }))]))
}

function allOfIt({ approvals }: PlannedRun): PlannedRun['approvals'] {
  const entries = [...approvals].map(([id, approval]) => {
    const votes = approval.votes.map((vote) => ({ ...vote, plan: true }) as const)
    return [id, { ...approval, votes }] as const
  })
  return new Map(entries)
}

export function mutatePlanApproval(original: typeof PlanApprovalModule): typeof PlanApprovalModule {
  return {
    ...original,
    holdPlanned(parts, state, action, preview) {
      const [call] = [...state.plans.values()].flat().filter(({ digest }) => digest === action.digest)
      if (is('a plan is not held against the world') && call !== undefined) {
        const shown = call.previewDigest === null ? null : { digest: call.previewDigest, value: null }
        return original.holdPlanned(parts, state, action, async () => shown)
      }
      return original.holdPlanned(parts, state, action, preview)
    },
  }
}

export function mutateEndorsement(original: typeof EndorsementModule): typeof EndorsementModule {
  return {
    ...original,
    decideEndorsement(known, subject, endorser, ground) {
      if (is('who asks may endorse')) return original.decideEndorsement(known, subject, endorser, { ...ground, requesters: [] })
      const roles = is('anybody may endorse') ? subject.approvers.map(({ role }) => role) : endorser.roles
      return original.decideEndorsement(known, subject, { ...endorser, roles }, ground)
    },
    withEndorsed(context, endorsements) {
      const others = endorsements.flatMap((each) => ['mail.send', 'mail.post'].map((operation) => ({ ...each, operation })))
      if (is('endorsed for another sink as well')) return original.withEndorsed(context, others)
      return is('endorsed in vain') ? context : original.withEndorsed(context, endorsements)
    },
  }
}
