import { createHash } from 'node:crypto'
import type * as KernelAdmit from '../../packages/kernel/src/action/admit.ts'
import type * as KernelQuestion from '../../packages/kernel/src/approval/question.ts'
import type * as KernelControl from '../../packages/kernel/src/control/state.ts'
import type * as KernelFold from '../../packages/kernel/src/run/fold.ts'
import type * as KernelNext from '../../packages/kernel/src/run/next.ts'
import type * as KernelUndo from '../../packages/kernel/src/run/undo.ts'
import type { Entry, RunEvent, RunState } from '@tidegate/kernel'
import type * as Decide from '../../packages/runtime/src/harness/decide.ts'
import type * as Execute from '../../packages/runtime/src/harness/execute.ts'
import type * as ProgressModule from '../../packages/runtime/src/harness/progress.ts'
import type * as RegistryModule from '../../packages/runtime/src/registry.ts'
import { canonical } from '../src/check/facts.ts'
import { active } from './active-mutation.ts'

const is = (name: string): boolean => active.name === name

/** A run whose questions have no deadline. */
function timeless(state: RunState): RunState {
  if (!is('deadline ignored')) return state
  const entries = [...state.approvals].map(
    ([id, approval]) => [id, { ...approval, question: { ...approval.question, deadlineMs: Number.MAX_SAFE_INTEGER } }] as const,
  )
  return { ...state, approvals: new Map(entries) }
}

export function mutateQuestion(original: typeof KernelQuestion): typeof KernelQuestion {
  return {
    ...original,
    decideVote(approval, ballot, nowMs) {
      const { question } = approval
      const change = (part: Partial<typeof question>) =>
        original.decideVote({ ...approval, question: { ...question, ...part } }, ballot, nowMs)
      if (is('requester may vote')) return change({ requesters: [] })
      if (is('one vote is enough'))
        return change({ approvers: question.approvers.slice(0, 1).map(({ role }) => ({ role, count: 1 })) })
      if (is('a vote counts twice')) {
        const votes = approval.votes.map((vote, n) => ({ ...vote, voter: `somebody else ${n}` }))
        return original.decideVote({ ...approval, votes }, ballot, nowMs)
      }
      if (is('digest of the vote ignored')) return change({ digest: ballot.digest })
      if (is('deadline ignored')) return change({ deadlineMs: Number.MAX_SAFE_INTEGER })
      if (is('anybody may vote'))
        return original.decideVote(approval, { ...ballot, roles: question.approvers.map(({ role }) => role) }, nowMs)
      return original.decideVote(approval, ballot, nowMs)
    },
  }
}

export function mutateControl(original: typeof KernelControl): typeof KernelControl {
  return { ...original, stopFor: (stops, target) => (is('stop not looked at') ? undefined : original.stopFor(stops, target)) }
}

export function mutateAdmit(original: typeof KernelAdmit): typeof KernelAdmit {
  return {
    ...original,
    admit(proposal, admission) {
      const admitted = original.admit(proposal, admission)
      if (!is('digest over raw arguments') || admitted.kind === 'rejected') return admitted
      const { id, schemaVersion, tool } = admitted.operation
      const digest = createHash('sha256')
        .update(canonical({ arguments: proposal.arguments, operation: id, schema: schemaVersion, tool }))
        .digest('hex')
      return { ...admitted, digest }
    },
  }
}

export function mutateNext(original: typeof KernelNext): typeof KernelNext {
  return {
    ...original,
    nextStep(state, context) {
      const step = original.nextStep(timeless(state), context)
      if (is('finish believed without check') && step.kind === 'look')
        return { kind: 'finish', state: 'completed', failure: null }
      if (is('nobody told of the ambiguous') && step.kind === 'queue' && step.item === 'ambiguous')
        return { kind: 'finish', state: 'failed', failure: 'ambiguous' }
      return step
    },
  }
}

export function mutateUndo(original: typeof KernelUndo): typeof KernelUndo {
  return {
    ...original,
    nextUndo(state, context) {
      const step = original.nextUndo(state, context)
      const first = state.actions.find((a) => a.proposed.effect && a.proposed.purpose === 'act' && a.state === 'done')
      if (!is('undo in the wrong order') || step.kind !== 'compensate' || first === undefined || state.opened.undoes !== null)
        return step
      return state.actions.some((a) => a.proposed.compensates === first.n) ? step : { ...step, of: first.n }
    },
  }
}

/** The approval of another action is folded as if it were none. */
function unmark(state: RunState, event: RunEvent): RunEvent {
  if (!is('approval used again') || event.type !== 'effect.started' || event.approval === null) return event
  const approval = state.approvals.get(event.approval)
  return approval?.question.action === event.action ? event : { ...event, approval: null }
}

export function mutateFold(original: typeof KernelFold): typeof KernelFold {
  const unmarked = (state: RunState, events: readonly unknown[]): readonly RunEvent[] =>
    events.map((event) => unmark(state, event as RunEvent))
  const foldEntry = (state: RunState, entry: Entry): RunState =>
    original.foldEntry(state, { ...entry, events: unmarked(state, entry.events) })
  return {
    ...original,
    foldEntry,
    foldEvents: (state, events, atMs) => original.foldEvents(state, unmarked(state, events), atMs),
    foldRun(entries) {
      const [first, ...rest] = entries
      return first === undefined ? original.foldRun(entries) : rest.reduce(foldEntry, original.foldRun([first]))
    },
  }
}

export function mutateDecide(original: typeof Decide): typeof Decide {
  return {
    ...original,
    decide(parts, progress, workflow, candidate) {
      const { n } = candidate
      const { state, waiting } = progress
      if (is('preview not looked at again') && candidate.approval !== null) {
        const shown = state.actions[n]?.preview?.value ?? null
        const connectorOf: typeof parts.registry.connectorOf = (operation) => ({
          ...parts.registry.connectorOf(operation),
          preview: async () => ({ kind: 'done', output: shown, complete: true }),
        })
        return original.decide({ ...parts, registry: { ...parts.registry, connectorOf } }, progress, workflow, candidate)
      }
      if (is('policy version not compared'))
        return original.decide(
          parts,
          { state: rewrite(state, { policyVersion: parts.policy.version }), waiting },
          workflow,
          candidate,
        )
      const used = [...state.approvals.values()].find((approval) => approval.state === 'consumed')
      if (
        is('approval used again') &&
        candidate.approval === null &&
        used !== undefined &&
        state.actions[used.question.action]?.proposed.operation === candidate.proposal.operation
      ) {
        return original.decide(parts, progress, workflow, { ...candidate, approval: used.question.id })
      }
      return original.decide(parts, { state: timeless(state), waiting }, workflow, candidate)
    },
  }
}

function rewrite(state: RunState, change: { policyVersion: string }): RunState {
  const entries = [...state.approvals].map(
    ([id, approval]) => [id, { ...approval, question: { ...approval.question, ...change } }] as const,
  )
  return { ...state, approvals: new Map(entries) }
}

export function mutateExecute(original: typeof Execute): typeof Execute {
  return {
    ...original,
    execute(parts, state, action, operation) {
      const { sealed } = action.proposed
      const widened = { ...action.proposed, sealed: { ...sealed, arguments: { ...(sealed.arguments as object), extra: 'more' } } }
      const changed = is('other arguments executed') ? { ...action, proposed: widened } : action
      return original.execute(parts, timeless(state), changed, operation)
    },
    async verify(parts, state, action, operation) {
      if (!is('a compensation is believed')) return original.verify(parts, state, action, operation)
      return { type: 'effect.verified', action: action.n, holds: true, sealed: { detail: '' } }
    },
    async reconcile(parts, state, action, operation) {
      if (!is('blind retry')) return original.reconcile(parts, state, action, operation)
      const about = { action: action.n, attempt: action.attempts } as const
      return [
        { type: 'effect.reconciled', ...about, found: 'absent', lookAgainAtMs: null, sealed: { output: null, message: '' } },
        { type: 'retry.scheduled', action: action.n, atMs: 0 },
      ]
    },
  }
}

export function mutateProgress(original: typeof ProgressModule): typeof ProgressModule {
  return {
    ...original,
    async flush(parts, progress, options) {
      if (!is('effect before its record') || !progress.waiting.some((event) => event.type === 'effect.started'))
        return original.flush(parts, progress, options)
      original.flush(parts, progress, options).catch(() => undefined)
      return { kind: 'durable', progress: original.startProgress({ ...progress.state, seq: progress.durable.seq + 1 }) }
    },
  }
}

export function mutateRegistry(original: typeof RegistryModule): typeof RegistryModule {
  return {
    ...original,
    createRegistry(tools, workflows) {
      if (!is('settling time skipped')) return original.createRegistry(tools, workflows)
      const hasty = tools.map((tool) => ({
        ...tool,
        operations: tool.operations.map((operation) => ({ ...operation, settleMs: 0 })),
      }))
      return original.createRegistry(hasty, workflows)
    },
  }
}
