import {
  type Admission,
  type Admitted,
  admit,
  approvedCall,
  type ApproverRule,
  type Json,
  pinnedArguments,
  planDigest,
  type PlannedCall,
  type Proposal,
  type Question,
  type QuestionPlan,
  type RunState,
  type Workflow,
} from '@tidegate/kernel'
import type { HarnessParts } from './parts.ts'

/** The preview of a call as it would be shown now; undefined when it should be shown and could not. */
export type ShownPreview = { readonly digest: string; readonly value: Json } | null | undefined

/** The approval that an action may start under without having been asked about itself. */
export interface Covered {
  readonly approval: string
  readonly policies: readonly string[]
  readonly isPlanned: true
}

/**
 * Finds the approved plan that covers an action, and checks that it is still what people said yes to, and in time (I2, I5). Undefined when
 * anything is not as it was: then the action is decided like any other, and asked about by itself.
 */
export async function holdPlanned(
  parts: Pick<HarnessParts, 'policy' | 'clock'>,
  state: RunState,
  action: { readonly digest: string; readonly action: number },
  preview: () => Promise<ShownPreview>,
): Promise<Covered | undefined> {
  const found = approvedCall(state, action)
  if (found === undefined || found.question.policyVersion !== parts.policy.version) return undefined
  const { question, call } = found
  const shown = await preview()
  if (shown === undefined || (shown?.digest ?? null) !== call.previewDigest) return undefined
  if (Math.max(parts.clock.nowMs(), state.updatedAtMs) >= question.deadlineMs) return undefined
  return { approval: question.id, policies: call.policies, isPlanned: true }
}

/** At most so many calls stand beside the one that a question is about: more than that nobody reads. */
const MAX_PLANNED = 20

/** A call of the plan, as it would be decided now. */
interface Foreseen {
  readonly policies: readonly string[]
  readonly approvers: readonly ApproverRule[]
}

/** What a question about a plan is made with. */
export interface PlanSurvey {
  readonly admission: Admission
  /** What policy would say of a call now; undefined when it would not ask. Nothing may stay reserved. */
  readonly foresee: (proposal: Proposal, admitted: Admitted, nth: number) => Foreseen | undefined
  readonly preview: (admitted: Admitted, nth: number) => Promise<ShownPreview>
}

/** The plan that a question shows, and what of it is sealed. */
export interface SurveyedPlan {
  readonly plan: QuestionPlan
  readonly shown: readonly { readonly arguments: Json; readonly preview: Json }[]
}

/**
 * The other calls of the run's plan that the people of this question may answer for as well (docs/spec/labels.md, section 7): each is pinned to
 * one exact call, has not started yet, would be asked about now, by policies that these very people satisfy, and its preview could be taken.
 * Undefined when there are none, when the workflow does not want it, or when the action itself is not a part of the plan.
 */
export async function surveyPlan(
  parts: Pick<HarnessParts, 'hasher'>,
  { state, workflow, question }: { readonly state: RunState; readonly workflow: Workflow; readonly question: Question },
  survey: PlanSurvey,
): Promise<SurveyedPlan | undefined> {
  if (workflow.approvals?.plan !== 'whole' || state.grants === null) return undefined
  const known = new Set([question.digest])
  const calls: PlannedCall[] = []
  const shown: { readonly arguments: Json; readonly preview: Json }[] = []
  for (const grant of state.grants) {
    const args = pinnedArguments(grant)
    if (args === undefined || calls.length >= MAX_PLANNED) continue
    const proposal = callOf(grant.operation, args)
    const admitted = admit(proposal, survey.admission)
    if (admitted.kind === 'rejected' || known.has(admitted.digest) || isBegun(state, admitted.digest)) continue
    known.add(admitted.digest)
    const foreseen = survey.foresee(proposal, admitted, calls.length)
    if (foreseen === undefined || !isWithin(foreseen.approvers, question.approvers)) continue
    const preview = await survey.preview(admitted, calls.length)
    if (preview === undefined) continue
    const { operation, digest } = admitted
    calls.push({ operation: operation.id, digest, previewDigest: preview?.digest ?? null, policies: foreseen.policies })
    shown.push({ arguments: admitted.arguments, preview: preview?.value ?? null })
  }
  return calls.length === 0 ? undefined : { plan: { digest: planDigest(parts.hasher, question, calls), calls }, shown }
}

function callOf(operation: string, args: Json): Proposal {
  return { goal: '', operation, arguments: args, justification: '', confidence: 10_000 }
}

/** Whatever has been proposed was decided, or is being: its question is its own. One that another question covers is not asked again. */
function isBegun(state: RunState, digest: string): boolean {
  return (
    state.actions.some(({ proposed }) => proposed.digest === digest && proposed.purpose === 'act') ||
    approvedCall(state, { digest, action: state.actions.length }) !== undefined
  )
}

/** True when the people who satisfy the wide rules satisfy the narrow ones. */
function isWithin(narrow: readonly ApproverRule[], wide: readonly ApproverRule[]): boolean {
  return narrow.every(({ role, count }) => wide.some((rule) => rule.role === role && rule.count >= count))
}
