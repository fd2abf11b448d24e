import { type RunHead, type RunState, runStateName } from '@tidegate/kernel'

/** A run as lists show it. */
export function headOf(state: RunState): RunHead {
  const { opened } = state
  const openApprovals =
    state.phase === 'finished'
      ? []
      : [...state.approvals.values()].filter((approval) => approval.state === 'open').map((approval) => approval.question.id)
  return {
    run: opened.run,
    workflow: opened.workflow,
    agent: opened.agent,
    state: runStateName(state),
    failure: state.failure,
    summary: summaryOf(state),
    openedAtMs: state.openedAtMs,
    updatedAtMs: state.updatedAtMs,
    wakeAtMs: null,
    effects: state.actions.filter((action) => action.proposed.effect && (action.state === 'done' || action.state === 'undone'))
      .length,
    openApprovals,
    openItems: countOpenItems(state),
    confidences: state.confidences,
    undoes: opened.undoes,
    ...(opened.call === undefined ? {} : { session: opened.call.session }),
  }
}

/** True when a list would show the run differently enough from before to be worth a write. Looked at for every record: builds nothing. */
export function isNewHead(before: RunHead, state: RunState): boolean {
  return (
    before.state !== runStateName(state) ||
    before.failure !== state.failure ||
    before.openItems !== countOpenItems(state) ||
    isNewQuestion(before.openApprovals, state)
  )
}

function isNewQuestion(before: readonly string[], { phase, approvals }: RunState): boolean {
  let open = 0
  if (phase !== 'finished')
    for (const approval of approvals.values()) {
      if (approval.state !== 'open') continue
      if (open === 0 && approval.question.id !== before[0]) return true
      open += 1
    }
  return open !== before.length
}

function countOpenItems({ items }: RunState): number {
  let open = 0
  for (const item of items.values()) if (item.resolvedBy === null) open += 1
  return open
}

/** Structure only: content of the run is sealed, and heads are not. */
function summaryOf(state: RunState): string {
  const last = state.actions.at(-1)
  if (state.final === 'completed') return 'done, and seen to be done'
  if (state.final !== null) return state.failure === null ? state.final : `${state.final}: ${state.failure}`
  if (last?.state === 'asking') return `waits for an approval of ${last.proposed.operation}`
  return last === undefined ? 'planning' : `${last.proposed.operation}: ${last.state}`
}
