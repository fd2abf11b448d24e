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
    openItems: [...state.items.values()].filter((item) => item.resolvedBy === null).length,
    confidences: state.confidences,
    undoes: opened.undoes,
    ...(opened.call === undefined ? {} : { session: opened.call.session }),
  }
}

/** True when a list would show the two differently enough to be worth a write. */
export function isNewHead(before: RunHead, after: RunHead): boolean {
  return (
    before.state !== after.state ||
    before.failure !== after.failure ||
    before.openItems !== after.openItems ||
    before.openApprovals.length !== after.openApprovals.length ||
    before.openApprovals[0] !== after.openApprovals[0]
  )
}

/** Structure only: content of the run is sealed, and heads are not. */
function summaryOf(state: RunState): string {
  const last = state.actions.at(-1)
  if (state.final === 'completed') return 'done, and seen to be done'
  if (state.final !== null) return state.failure === null ? state.final : `${state.final}: ${state.failure}`
  if (last?.state === 'asking') return `waits for an approval of ${last.proposed.operation}`
  return last === undefined ? 'planning' : `${last.proposed.operation}: ${last.state}`
}
