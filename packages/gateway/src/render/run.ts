import { type Operation, type RunHead, type RunState, runStateName } from '@tidegate/kernel'
import type { WireRunAction, WireRunDetail, WireRunHead } from '@tidegate/protocol'
import { clip } from '../reply.ts'
import { tellRun } from '@tidegate/runtime'

const TEXT = 262_144

/** A run as lists show it. */
export function renderRunHead(head: RunHead): WireRunHead {
  return { ...head, summary: clip(head.summary) }
}

/** Everything about one run, with its story. */
export function renderRun(state: RunState, operations: readonly Operation[]): WireRunDetail {
  const { opened } = state
  const story = tellRun(state, operations)
  return {
    run: opened.run,
    workflow: opened.workflow,
    workflowVersion: opened.workflowVersion,
    agent: opened.agent,
    actors: opened.actors,
    trigger: opened.trigger,
    environment: opened.environment,
    stage: opened.stage,
    state: runStateName(state),
    failure: state.failure,
    reason: clip(state.reason, TEXT),
    openedAtMs: state.openedAtMs,
    updatedAtMs: state.updatedAtMs,
    confidence: state.confidence,
    spent: state.spent,
    undoes: opened.undoes,
    undoneBy: state.undoneBy,
    heldBy: state.held?.stop ?? null,
    input: opened.sealed.input,
    actions: state.actions.map(renderAction),
    approvals: [...state.approvals.values()].map(({ state: became, question }) => ({
      id: question.id,
      action: question.action,
      state: became,
    })),
    items: [...state.items.values()].map(({ item, kind, title, detail, resolvedBy }) => ({
      item,
      kind,
      title: clip(title),
      detail: clip(detail, TEXT),
      resolvedBy,
    })),
    story: { headline: clip(story.headline), lines: story.lines.map((line) => ({ ...line, text: clip(line.text) })) },
  }
}

function renderAction(action: RunState['actions'][number]): WireRunAction {
  const { proposed, decision, outcome } = action
  const { operation, purpose, effect, digest, compensates, sealed } = proposed
  return {
    n: action.n,
    operation: clip(operation),
    purpose,
    effect,
    state: action.state,
    goal: clip(sealed.goal, TEXT),
    justification: clip(sealed.justification, TEXT),
    arguments: sealed.arguments,
    origins: sealed.origins,
    digest,
    outcome: decision?.outcome ?? null,
    policies: (decision?.policies ?? []).map(({ id, reason }) => ({ id: clip(id), reason: clip(reason) })),
    approvers: decision?.approvers ?? [],
    approval: action.approval,
    attempts: action.attempts,
    startedAtMs: action.startedAtMs,
    output: action.output,
    findings: action.findings.slice(0, 1_000).map(({ path, kind }) => ({ path: clip(path), kind })),
    failure: outcome?.failure ?? null,
    message: clip(outcome?.sealed.message ?? '', TEXT),
    found: action.found,
    compensates,
  }
}
