import {
  type AppendResult,
  type Draft,
  type Entry,
  foldEntry,
  foldEvents,
  openRun,
  type RunEvent,
  type RunHead,
  type RunState,
} from '@tidegate/kernel'
import { headOf, isNewHead } from './head.ts'
import type { HarnessParts } from './parts.ts'

/**
 * A run on its way: what is durable, and what is about to be.
 *
 * Events wait here only as long as nothing outside depends on them, so that one action costs one record and not two: the outcome
 * of the last effect is written together with the intent of the next. Whoever starts an effect, asks people, waits for anything or
 * comes to rest makes them durable first. If we crash before that, they never happened here: an effect whose outcome was waiting is
 * found `started` and is looked for (I4).
 */
export interface Progress {
  /** As the journal holds it. */
  readonly durable: RunState
  /** How lists show the run, as it was last written; undefined until it is needed. */
  readonly head: RunHead | undefined
  /** With the waiting events folded in. */
  readonly state: RunState
  readonly waiting: readonly RunEvent[]
  /** The time of the waiting record. */
  readonly atMs: number
  /** What the first record of a run claims, until it is written. */
  readonly opening?: Opening
}

/** How a run begins: the event that it claims, and who is told whether it has it. */
export interface Opening {
  readonly claim: string
  readonly answered?: (result: AppendResult) => void
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** What became of making a record durable. */
export type Flushed =
  | { readonly kind: 'durable'; readonly progress: Progress }
  /** Somebody else wrote first: read the run again. */
  | { readonly kind: 'conflict' }
  /** A stop was raised or lifted since the decision: decide again. */
  | { readonly kind: 'fenced' }

/** A run as the journal holds it. */
export function startProgress(durable: RunState, head?: RunHead): Progress {
  return { durable, head, state: durable, waiting: [], atMs: 0 }
}

/** A run that is still to be written: its first record waits, and says more by the time that it is. */
export function openProgress(first: RunState, opening: Opening): Progress {
  return { durable: first, head: undefined, state: first, waiting: [first.opened], atMs: first.openedAtMs, opening }
}

/** Adds events to the record that is about to be written. Throws when they break an invariant (I1, I2, I4). */
export function add(parts: Pick<HarnessParts, 'clock'>, progress: Progress, events: readonly RunEvent[]): Progress {
  const { durable, state, waiting } = progress
  const atMs = waiting.length > 0 ? progress.atMs : Math.max(durable.updatedAtMs, parts.clock.nowMs())
  return { ...progress, state: foldEvents(state, events, atMs), waiting: [...waiting, ...events], atMs }
}

/** Makes the waiting events durable, as one record. */
export async function flush(
  parts: Pick<HarnessParts, 'journal'>,
  progress: Progress,
  options: { fence?: number; canWait?: boolean } = {},
): Promise<Flushed> {
  const { durable, state, waiting, atMs, opening } = progress
  if (waiting.length === 0) return { kind: 'durable', progress }
  const before = progress.head ?? headOf(durable)
  const head = durable.seq === 0 || isNewHead(before, state) ? headOf(state) : undefined
  const draft: Writable<Draft> = { stream: `run/${durable.opened.run}`, expectedSeq: durable.seq, events: waiting, atMs }
  // Not spread into it, since every record comes by here.
  if (options.fence !== undefined) draft.fence = options.fence
  if (head !== undefined) draft.head = head
  if (opening !== undefined) draft.claim = opening.claim
  if (options.canWait === true) draft.canWait = true
  const result = await parts.journal.append(draft)
  opening?.answered?.(result)
  if (result.kind === 'conflict' || result.kind === 'claimed') return { kind: 'conflict' }
  if (result.kind === 'fenced') return { kind: 'fenced' }
  return { kind: 'durable', progress: startProgress(settle(progress, result.entry), head ?? before) }
}

/** The state after a record: the one foretold, unless the journal had to give the record a later time. */
function settle({ durable, state, atMs }: Progress, entry: Entry): RunState {
  if (entry.atMs === atMs) return { ...state, seq: entry.seq }
  return durable.seq === 0 ? openRun(entry) : foldEntry(durable, entry)
}
