import type { Stop } from '@tidegate/kernel'
import type { WireApproval, WireQueueItem, WireStop } from '@tidegate/protocol'
import type { ApprovalView, QueueView } from '@tidegate/runtime'
import { clip } from '../reply.ts'

const TEXT = 262_144

/** A question put to people, with what they need in order to answer it. */
export function renderApproval(view: ApprovalView): WireApproval {
  const { state, question, votes } = view.approval
  const { id, run, action, digest, previewDigest, policyVersion, policies, approvers, requesters, openedAtMs, deadlineMs } =
    question
  return {
    id,
    run,
    action,
    state,
    digest,
    previewDigest,
    policyVersion,
    policies,
    approvers,
    requesters,
    openedAtMs,
    deadlineMs,
    votes: votes.map(({ voter, vote, why, atMs, plan = false }) => ({ voter, vote, why: clip(why, TEXT), atMs, plan })),
    workflow: view.workflow,
    operation: view.operation,
    title: clip(view.title),
    goal: clip(view.goal, TEXT),
    justification: clip(view.justification, TEXT),
    arguments: view.arguments,
    preview: view.preview,
    reasons: view.reasons.map((reason) => clip(reason)),
    risk: view.risk,
    reversibility: view.reversibility,
    plan:
      view.plan === null
        ? null
        : {
            ...view.plan,
            calls: view.plan.calls.map((call) => ({ ...call, title: clip(call.title), operation: clip(call.operation) })),
          },
  }
}

/** Something that waits for a person. */
export function renderQueueItem(view: QueueView): WireQueueItem {
  const { item, kind, run, workflow, action, title, detail, atMs, resolvedBy } = view
  return { item, kind, run, workflow, action, title: clip(title), detail: clip(detail, TEXT), atMs, resolvedBy }
}

/** A stop in force. */
export function renderStop({ id, scope, mode, by, why, atMs }: Stop): WireStop {
  return { id, scope, mode, by, why: clip(why, TEXT), atMs }
}
