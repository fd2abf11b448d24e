import type { Entry } from '../ports/journal.ts'
import type { PolicyAdopted } from './change-event.ts'
import type { ControlEvent, StopScope } from './event.ts'

/** A stop in force. */
export interface Stop {
  readonly id: string
  readonly scope: StopScope
  readonly mode: 'hold' | 'kill'
  readonly by: string
  readonly why: string
  readonly atMs: number
}

/** What holds for all runs at once: a fold of the control stream. */
export interface ControlState {
  readonly seq: number
  readonly epoch: number
  readonly stops: readonly Stop[]
  /** Operations whose breaker is open, with the time at which one attempt is let through again. */
  readonly breakers: Readonly<Record<string, number>>
  /** The policies in force, or null before the first start. */
  readonly policy: PolicyInForce | null
  /** Digest of the listing of what is declared, or null before the first start. */
  readonly listing: string | null
  /** Operation -> the version in which it may be used. */
  readonly accepted: Readonly<Record<string, string>>
}

/** A set of policies in force, and since when. */
export interface PolicyInForce extends PolicyAdopted {
  readonly atMs: number
}

export const EMPTY_CONTROL: ControlState = {
  seq: 0,
  epoch: 0,
  stops: [],
  breakers: {},
  policy: null,
  listing: null,
  accepted: {},
}

/** Folds one record of the control stream. Pure. */
export function foldControl(state: ControlState, entry: Entry): ControlState {
  const next = { ...state, seq: entry.seq, epoch: entry.epoch }
  return entry.events.reduce<ControlState>((s, event) => foldEvent(s, event as ControlEvent, entry.atMs), next)
}

function foldEvent(state: ControlState, event: ControlEvent, atMs: number): ControlState {
  switch (event.type) {
    case 'stop.raised': {
      const { stop: id, scope, mode, by, why } = event
      return { ...state, stops: [...state.stops, { id, scope, mode, by, why, atMs }] }
    }
    case 'stop.lifted':
      return { ...state, stops: state.stops.filter((stop) => stop.id !== event.stop) }
    case 'breaker.opened':
      return { ...state, breakers: { ...state.breakers, [event.operation]: event.untilMs } }
    case 'breaker.closed':
      return { ...state, breakers: Object.fromEntries(Object.entries(state.breakers).filter(([id]) => id !== event.operation)) }
    case 'policy.adopted':
      return { ...state, policy: { ...event, atMs } }
    case 'project.loaded':
      return { ...state, listing: event.listing }
    case 'operations.accepted':
      return { ...state, accepted: { ...state.accepted, ...event.operations } }
    default:
      return state
  }
}

/** What a stop is held against. */
export interface StopTarget {
  readonly run: string
  readonly agent: string
  readonly workflow: string
  /** Absent for the run as a whole. */
  readonly tool?: string
}

/** The first stop that covers the target, a killing one before a holding one. */
export function stopFor(stops: readonly Stop[], target: StopTarget): Stop | undefined {
  if (stops.length === 0) return undefined
  const scopes: readonly string[] = [
    'global',
    `agent:${target.agent}`,
    `workflow:${target.workflow}`,
    `run:${target.run}`,
    `tool:${target.tool ?? ''}`,
  ]
  const matching = stops.filter((stop) => scopes.includes(stop.scope))
  return matching.find((stop) => stop.mode === 'kill') ?? matching[0]
}

/** Reads a scope as people write it; undefined when it is none. */
export function parseStopScope(text: string): StopScope | undefined {
  return /^(?:global|(?:agent|workflow|tool|run):[\w./:@-]{1,200})$/.test(text) ? (text as StopScope) : undefined
}
