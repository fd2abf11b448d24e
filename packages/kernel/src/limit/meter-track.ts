import type { RunEvent, RunOpened } from '../run/event.ts'
import type { ActionState, RunState } from '../run/state.ts'
import type { Metered, MeterSource } from './meter.ts'
import type { MeterCell } from './window.ts'

/** What meters must remember of a run until it is finished. Changed in place. */
export interface RunTrack {
  readonly run: string
  readonly agent: string
  readonly workflow: string
  /** The person on whose behalf the run acts. */
  readonly user: string
  /** Records folded so far. */
  seq: number
  /** By number. */
  readonly actions: (TrackedAction | undefined)[]
  /** What the run has reserved and not started yet. */
  room: Room | undefined
}

/** What an action that is decided has reserved. */
export interface Room {
  readonly lines: readonly RoomLine[]
  /** The start may be recorded, or not. */
  isSuspended: boolean
}

export interface RoomLine {
  readonly meter: number
  readonly key: string
  readonly cell: MeterCell
  readonly amount: number
}

export interface TrackedAction {
  readonly operation: string
  /** Whether it changes the world. */
  readonly effect: boolean
  metered: Metered | undefined
  /** When its effect was counted; null while none is. */
  countedAtMs: number | null
  /** An earlier attempt may have had its effect. */
  doubt: boolean
}

/**
 * Takes one count of a run. `action` is null for what belongs to the run; a negative amount gives back what was counted at
 * `atMs`.
 */
export type CountTaker = (
  track: RunTrack,
  source: MeterSource,
  action: TrackedAction | null,
  amount: number,
  atMs: number,
) => void

/** Takes one count with the number of its action, or null. */
export type PlainTaker = (source: MeterSource, action: number | null, amount: number) => void

export function trackOpened({ run, agent, workflow, actors }: RunOpened): RunTrack {
  return createTrack({ run, agent, workflow, user: actors[0] ?? '' })
}

/** The track of a run of which nothing is folded yet. */
export function createTrack(of: Pick<RunTrack, 'run' | 'agent' | 'workflow' | 'user'>): RunTrack {
  return { ...of, seq: 0, actions: [], room: undefined }
}

/** The track of a run whose records were folded elsewhere. Its effects count as counted at their last start. */
export function trackState(state: RunState): RunTrack {
  const track = trackOpened(state.opened)
  track.seq = state.seq
  for (const action of state.actions) {
    track.actions[action.n] = {
      operation: action.proposed.operation,
      effect: action.proposed.effect,
      metered: undefined,
      countedAtMs: mayHaveHappened(action) ? action.startedAtMs : null,
      doubt: action.doubt,
    }
  }
  return track
}

/** False for an action that certainly did nothing to the world. */
export function mayHaveHappened(action: ActionState): boolean {
  if (!action.proposed.effect || action.attempts === 0) return false
  if (action.doubt || action.found === 'unknown') return true
  return action.state === 'started' || action.state === 'ambiguous' || action.state === 'done' || action.state === 'undone'
}

/**
 * What an event means to meters by itself, whatever came before it. Effects and calls are not among it: see {@link foldTrack}.
 * `action` is null for what belongs to the run.
 */
export function countPlain(event: RunEvent, take: PlainTaker): void {
  switch (event.type) {
    case 'plan.noted':
    case 'plan.paused':
      take('steps', null, 1)
      break
    case 'model.called':
      take('tokens', null, event.inputTokens + event.outputTokens)
      take('cost', null, event.costMicros)
      break
    case 'action.proposed':
      take('steps', null, 1)
      take('proposals', event.action, 1)
      break
    case 'action.decided':
      if (event.outcome === 'deny') take('denials', event.action, 1)
      break
    case 'approval.opened':
      take('asks', event.question.action, 1)
      break
    case 'effect.finished':
      if (event.result === 'done') take('successes', event.action, 1)
      else if (event.failure !== 'refused') take('failures', event.action, 1)
      break
    case 'effect.reconciled':
      if (event.found === 'happened' || event.found === 'doubled') take('successes', event.action, 1)
  }
}

/**
 * Folds one event into the track of its run, and tells what it counts.
 *
 * An effect counts from its first start and once for all attempts at its action, since they carry one idempotency key. It is
 * given back only when it is certain that nothing happened: a failure that says so while no earlier attempt is in doubt, or a
 * look that found it absent. One that is ambiguous, or was taken back later, stays counted; one that is in the world twice counts
 * twice.
 */
export function foldTrack(track: RunTrack, event: RunEvent, atMs: number, take: CountTaker): void {
  switch (event.type) {
    case 'action.proposed': {
      const { operation, effect } = event
      track.actions[event.action] = { operation, effect, metered: undefined, countedAtMs: null, doubt: false }
      break
    }
    case 'action.decided':
      if (event.outcome !== 'deny') return
      break
    case 'effect.started':
    case 'effect.finished':
    case 'effect.reconciled': {
      const action = track.actions[event.action]
      if (action !== undefined) foldAction(track, action, event, atMs, take)
      if (event.type === 'effect.started') return
    }
  }
  countPlain(event, (source, n, amount) => {
    const action = n === null ? null : track.actions[n]
    if (action !== undefined) take(track, source, action, amount, atMs)
  })
}

type CallEvent = Extract<RunEvent, { type: 'effect.started' | 'effect.finished' | 'effect.reconciled' }>

function foldAction(track: RunTrack, action: TrackedAction, event: CallEvent, atMs: number, take: CountTaker): void {
  switch (event.type) {
    case 'effect.started': {
      action.metered = event.metered ?? action.metered
      take(track, 'calls', action, 1, atMs)
      if (!action.effect || action.countedAtMs !== null) return
      action.countedAtMs = atMs
      take(track, 'effects', action, 1, atMs)
      return
    }
    case 'effect.finished':
      if (event.result === 'done') action.doubt = false
      else if (event.retry !== 'unknown' && !action.doubt) giveBack(track, action, take)
      return
    case 'effect.reconciled':
      if (event.lookAgainAtMs !== null) return
      if (event.found === 'doubled') take(track, 'effects', action, 1, atMs)
      action.doubt = action.effect && (event.found === 'repeatable' || (action.doubt && event.found === 'unknown'))
      if (event.found === 'absent') giveBack(track, action, take)
  }
}

function giveBack(track: RunTrack, action: TrackedAction, take: CountTaker): void {
  if (action.countedAtMs === null) return
  take(track, 'effects', action, -1, action.countedAtMs)
  action.countedAtMs = null
}
