import type { CompensationCall, Operation } from '../action/operation.ts'
import type { UndoStep } from './event.ts'
import type { ActionState, RunState } from './state.ts'
import type { QueueStep, Step, StepContext } from './step.ts'

/**
 * The next step of a run that takes things back: the last effect first, each compensation an action like any other (decided,
 * recorded, executed at most once) and then verified. What cannot be taken back goes to people; the rest is still undone.
 */
export function nextUndo(state: RunState, context: StepContext): Step {
  if (state.opened.undoes === null && context.workflow.onFailure === 'keep') return concludeFailure(state)
  for (const effect of effectsToUndo(state)) {
    const step = undoOne(effect, state, context)
    if (step !== undefined) return step
  }
  return concludeFailure(state)
}

/** True for a compensation that was executed and not yet looked at. */
export function needsVerify(action: ActionState): boolean {
  return action.state === 'done' && action.proposed.purpose === 'compensate' && action.verified === null
}

/**
 * The effects of a run that still stand, last first: what an undo run is opened with. One that is in the world twice is not among them:
 * taking back one of two helps nobody, and people have it in their queue.
 */
export function effectsToUndo(state: RunState): readonly UndoStep[] {
  if (state.opened.undoes !== null) return state.opened.sealed.undo
  return state.actions
    .filter(
      (action) =>
        action.state === 'done' && action.proposed.effect && action.proposed.purpose === 'act' && action.found !== 'doubled',
    )
    .map((a) => ({ action: a.n, operation: a.proposed.operation, arguments: a.proposed.sealed.arguments, output: a.output }))
    .reverse()
}

/**
 * The effects of a finished run that an undo run may take back: those that stand, but for the ones whose compensation was begun and may
 * be in the world. To make that a second time would be a blind repetition (I4); it is in the queue, and a person's turn.
 */
export function effectsStanding(state: RunState): readonly UndoStep[] {
  return effectsToUndo(state).filter(({ action }) => {
    const attempt = state.actions.findLast(({ proposed }) => proposed.compensates === action)
    return attempt === undefined || (!attempt.doubt && NO_EFFECT.has(attempt.state) && attempt.found !== 'unknown')
  })
}

/** States of an action that certainly did nothing to the world. */
const NO_EFFECT: ReadonlySet<ActionState['state']> = new Set(['proposed', 'denied', 'rehearsed', 'asking', 'retryable', 'failed'])

function undoOne(effect: UndoStep, state: RunState, { find }: StepContext): Step | undefined {
  const attempt = state.actions.findLast((action) => action.proposed.compensates === effect.action)
  const given = [...state.items.values()].some((item) => item.kind === 'cannot_undo' && item.effect === effect.action)
  if (given || attempt?.verified === true) return undefined
  const operation = find(effect.operation)
  if (attempt !== undefined) return cannotUndo(effect, operation, attempt)
  if (operation?.compensation === undefined || operation.reversibility === 'irreversible')
    return cannotUndo(effect, operation, undefined)
  const call = compensationOf(operation, effect)
  if (call === 'broken') return cannotUndo(effect, operation, undefined)
  return call === null ? undefined : { kind: 'compensate', of: effect.action, call }
}

/** The declaration is the tool's own code: it may trip over an answer that nobody could read. */
function compensationOf(operation: Operation, effect: UndoStep): CompensationCall | null | 'broken' {
  try {
    return operation.compensation?.({ arguments: effect.arguments, output: effect.output }) ?? null
  } catch {
    return 'broken'
  }
}

function cannotUndo(effect: UndoStep, operation: Operation | undefined, attempt: ActionState | undefined): QueueStep {
  const title = `Cannot undo: ${operation?.title ?? effect.operation}`
  const unseen = attempt?.verified === false ? ', but the world does not show it' : ''
  const detail =
    attempt === undefined
      ? 'There is no way back: none is declared, or it is not known well enough what was done.'
      : `The attempt to take it back is ${attempt.state}${unseen}.`
  return { kind: 'queue', item: 'cannot_undo', action: attempt?.n ?? null, effect: effect.action, title, detail }
}

function concludeFailure(state: RunState): Step {
  const items = [...state.items.values()]
  if (items.some((item) => item.kind === 'cannot_undo')) return { kind: 'finish', state: 'failed', failure: 'rollback_failure' }
  if (state.opened.undoes !== null) return { kind: 'finish', state: 'completed', failure: null }
  // Who made a call is told at once, and needs nobody to find out.
  if (items.length === 0 && state.opened.call === undefined) {
    const blocked = state.failure === 'policy_denial'
    const title = blocked ? 'Blocked, and left for a person' : 'Not done, and left for a person'
    return { kind: 'queue', item: blocked ? 'blocked' : 'unfinished', action: null, effect: null, title, detail: state.reason }
  }
  const undone = state.actions.some((action) => action.state === 'undone')
  return { kind: 'finish', state: undone ? 'undone' : 'failed', failure: state.failure }
}
