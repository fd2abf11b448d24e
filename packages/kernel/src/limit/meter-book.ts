import type { Operation } from '../action/operation.ts'
import type { JsonObject } from '../canonical/json.ts'
import type { Entry } from '../ports/journal.ts'
import type { RunEvent } from '../run/event.ts'
import type { RunState } from '../run/state.ts'
import { createDeviationReader, type ReadDeviation } from './baseline.ts'
import { dumpBook, fingerprintOf, type MeterDump, restoreCells, restoreTrack } from './meter-dump.ts'
import {
  amountOf,
  createPlanner,
  type HashKey,
  keyOf,
  meteredOf,
  type OperationPlan,
  plansOfRun,
  readerAt,
} from './meter-facts.ts'
import { type Own, ownAmount } from './meter-own.ts'
import { createProgress } from './meter-progress.ts'
import { countInRun, type RunCounter } from './meter-run.ts'
import { recordedKey, scopeKey } from './meter-key.ts'
import { createMeterSpace, type MeterSpace } from './meter-space.ts'
import { type MeterView, viewMeter } from './meter-view.ts'
import { type CountTaker, foldTrack, type RoomLine, type RunTrack, trackOpened, trackState } from './meter-track.ts'
import { type Meter, meterAttribute, type Metered, meterNames } from './meter.ts'
import { type WaitingCount, waitingCounts } from './meter-waiting.ts'
import { addAmount, createCell, dropBefore, type MeterCalendar, type MeterCell, sumSince, takeAmount } from './window.ts'
import { type WindowRule, windowRule } from './window.ts'

export * from './meter-view.ts'

/** What the meters of a project are made of. */
export interface MeterBookParts {
  readonly meters: readonly Meter[]
  readonly calendar: MeterCalendar
  readonly hashKey: HashKey
}

/** An action that is about to be decided. */
export interface MeterRequest {
  /** The run, with its waiting events folded in. */
  readonly state: RunState
  /** Events of the run that are not durable yet. */
  readonly waiting: readonly RunEvent[]
  /** Its number in the run. */
  readonly action: number
  /** True when its proposal is not among the events yet. */
  readonly isNew: boolean
  readonly operation: Pick<Operation, 'id' | 'mutability'>
  readonly arguments: JsonObject
}

/** What policy is told, and what is recorded if the action starts. */
export interface Reservation {
  /** By attribute, every name of {@link meterNames}. */
  readonly values: Readonly<Record<string, number>>
  readonly metered: Metered | undefined
}

/** An entry of the journal; its sealed parts are not looked at, and may be missing. */
export type MeterEntry = Pick<Entry, 'index' | 'stream' | 'seq' | 'atMs' | 'events'>

/**
 * The counts of a project: a fold of the journal, and what decided actions have reserved on top of it.
 *
 * Invariants:
 * M1. What a reservation adds stays until its run's start is folded, which counts it, or it is released: two actions never see
 * the same room.
 * M2. Folding the same entries gives the same counts, whatever was reserved, asked or dumped in between.
 * M3. Time is the journal's. A clock that was ahead for a moment frees nothing for later, and one that is behind frees nothing at
 * all.
 * M4. A reservation whose record may or may not be there stays until the run's next record tells.
 */
export interface MeterBook {
  /** The ledger index before which every entry is folded. */
  readonly next: number
  /** False while an entry is folded although one before it is not: nothing can be written down then. */
  readonly isWhole: boolean
  reserve(request: MeterRequest, nowMs: number): Reservation
  /** Gives up what a run has reserved; does nothing when there is nothing, or when M4 keeps it. */
  release(run: string): void
  /** M4: the append of the record failed. */
  suspend(run: string): void
  /** Counts a committed entry. `gap`: earlier entries of its stream are missing; see {@link MeterBook.adopt}. */
  fold(entry: MeterEntry): 'folded' | 'gap'
  /** The last entry of a run that was folded; 0 for a run that is not known. */
  seqOf(run: string): number
  /** Takes up a run from entries that count nothing any more. */
  adopt(entries: readonly MeterEntry[]): void
  dump(): MeterDump
  /**
   * Tells what every meter shows at a moment (of the clock; M3 holds), in the order of their declaration. Changes nothing, so that
   * it may be asked at any time (M2); takes as long as there are keys.
   */
  view(nowMs: number): readonly MeterView[]
}

interface Counter extends RunCounter {
  /** The first slot at the journal's time, and that time. */
  first: number
  firstAtMs: number
  readonly attribute: string
  readonly rule: WindowRule
  readonly space: MeterSpace
  readonly deviation: ReadDeviation | null
}

/** What a decision looks at for every meter. */
interface Look extends Own {
  readonly plan: OperationPlan
  readonly metered: Metered | undefined
  readonly extras: readonly WaitingCount[]
  readonly nowMs: number
}

const EMPTY = createCell()
const NO_EXTRAS: readonly WaitingCount[] = []

/** Creates the book of a project, from nothing or from a dump that {@link isDumpOf} accepts. */
export function createMeterBook({ meters, calendar, hashKey }: MeterBookParts, dump?: MeterDump): MeterBook {
  const counters = meters.map((meter, at): Counter => {
    const rule = windowRule(meter, calendar)
    const deviation = meter.anomaly === null ? null : createDeviationReader(meter.anomaly)
    return {
      at,
      first: 0,
      firstAtMs: -1,
      meter,
      attribute: meterAttribute(meter.name),
      rule,
      space: createMeterSpace(rule.lifeMs),
      deviation,
      readSum: meter.sum === null ? null : readerAt(meter.sum),
      readKey: meter.per.startsWith('/') ? readerAt(meter.per) : null,
    }
  })
  const planFor = createPlanner(meters)
  const runPlans = plansOfRun(meters)
  const blank: Record<string, number> = Object.fromEntries(
    meterNames(meters)
      .toSorted() // as they are written
      .map((name) => [name, 0]),
  )
  const used = new Set(meters.filter(({ window }) => window.kind !== 'run').map(({ of }) => of))
  const tracks = new Map<string, RunTrack>()
  const progress = createProgress(dump?.next ?? 0)
  let atMs = dump?.atMs ?? 0
  for (const [i, cells] of (dump?.cells ?? []).entries()) restoreCells(counters[i]?.space, cells)
  for (const track of dump?.tracks ?? []) tracks.set(track[0], restoreTrack(track))

  function openCell({ at, space }: Counter, key: string): MeterCell {
    space.turn(atMs, () => reservedKeys(at))
    return space.open(key)
  }

  function* reservedKeys(at: number): Iterable<string> {
    for (const { room } of tracks.values()) for (const line of room?.lines ?? []) if (line.meter === at) yield line.key
  }

  const take: CountTaker = (track, source, action, times, countedAtMs) => {
    if (!used.has(source)) return
    const list = action === null ? runPlans[source] : planFor(action.operation).counts[source]
    if (list === undefined) return
    for (const at of list) {
      const counter = counters[at]
      const key = counter === undefined ? undefined : recordedKey(counter.meter.per, track, action)
      if (counter === undefined || key === undefined) continue
      const { sum } = counter.meter
      const amount = sum === null ? times : times * (action?.metered?.sums?.[sum] ?? 0)
      if (amount === 0) continue
      const cell = openCell(counter, key)
      const slot = counter.rule.slotOf(countedAtMs)
      if (amount > 0) addAmount(cell, slot, amount)
      else takeAmount(cell, slot, -amount)
    }
  }

  function fold(entry: MeterEntry): 'folded' | 'gap' {
    progress.add(entry.index)
    atMs = Math.max(atMs, entry.atMs)
    if (!entry.stream.startsWith('run/')) return 'folded'
    const run = entry.stream.slice('run/'.length)
    const events = entry.events as readonly RunEvent[] // every stream but the control stream is one run
    const track = tracks.get(run) ?? openTrack(events)
    if (track === undefined) return events.some(isMetered) ? 'gap' : 'folded'
    if (entry.seq <= track.seq) return 'folded'
    if (entry.seq !== track.seq + 1) return 'gap'
    track.seq = entry.seq
    if (track.room?.isSuspended === true) drop(track) // M4
    for (const event of events) {
      if (event.type === 'effect.started') drop(track) // M1: counted below, in the same step
      foldTrack(track, event, entry.atMs, take)
      if (event.type === 'run.finished') {
        drop(track)
        tracks.delete(run)
      }
    }
    return 'folded'
  }

  function openTrack([first]: readonly RunEvent[]): RunTrack | undefined {
    if (first?.type !== 'run.opened') return undefined
    const track = trackOpened(first)
    tracks.set(track.run, track)
    return track
  }

  function drop(track: RunTrack): void {
    if (track.room === undefined) return
    for (const { cell, amount } of track.room.lines) cell.pending -= amount
    track.room = undefined
  }

  function reserve(request: MeterRequest, nowMs: number): Reservation {
    const { state, operation, waiting } = request
    const { run } = state.opened
    const track = tracks.get(run) ?? adoptState(state)
    drop(track)
    const plan = planFor(operation.id)
    const look: Look = {
      request,
      track,
      plan,
      metered: meteredOf(plan, request.arguments, hashKey),
      extras: waiting.length === 0 ? NO_EXTRAS : waitingCounts(waiting, state, used),
      nowMs: Math.max(atMs, nowMs), // M3
    }
    const { spent } = state
    const values = { ...blank } // filled in place, so that all have one shape
    values.run_steps = spent.steps + (request.isNew ? 1 : 0)
    values.run_tokens = spent.tokens
    values.run_cost_micros = spent.costMicros
    const lines: RoomLine[] = []
    for (const counter of counters) {
      const value = counter.meter.window.kind === 'run' ? valueInRun(counter, look) : valueInWindow(counter, look, lines)
      values[counter.attribute] = Math.min(value, Number.MAX_SAFE_INTEGER)
    }
    if (lines.length > 0) track.room = { lines, isSuspended: false }
    return { values, metered: look.metered }
  }

  function valueInWindow(counter: Counter, look: Look, lines: RoomLine[]): number {
    const { at, meter, rule, space, deviation, readKey } = counter
    const { request, track, plan, nowMs } = look
    const key =
      readKey === null ? scopeKey(meter.per, track, request.operation.id, plan.tool) : keyOf(readKey(request.arguments), hashKey) // as it stands in what is recorded: the hash remembers it
    const own = ownOf(counter, look)
    let cell = space.find(key)
    if (counter.firstAtMs !== atMs) {
      counter.first = rule.firstSlot(atMs)
      counter.firstAtMs = atMs
    }
    if (cell !== undefined) dropBefore(cell, counter.first)
    const extra = look.extras.length === 0 ? 0 : extraOf(counter, key, look)
    const first = nowMs === atMs ? counter.first : rule.firstSlot(nowMs)
    const countedAtMs = meter.of === 'effects' ? (track.actions[request.action]?.countedAtMs ?? null) : null
    const moved = own > 0 && countedAtMs !== null && rule.slotOf(countedAtMs) >= first ? own : 0
    const added = (meter.self ? own : 0) - moved + extra + (cell?.pending ?? 0)
    const value =
      deviation === null
        ? (cell === undefined ? 0 : sumSince(cell, first)) + added
        : deviation(cell ?? EMPTY, first, rule.slotOf(nowMs), added)
    if (own > 0 && (meter.of === 'calls' || meter.of === 'effects')) {
      cell = openCell(counter, key)
      cell.pending += own
      lines.push({ meter: at, key, cell, amount: own })
    }
    return value
  }

  function valueInRun(counter: Counter, look: Look): number {
    const { state, operation, arguments: args, isNew, action } = look.request
    const now = { operation: operation.id, arguments: args, recorded: isNew ? null : action }
    return countInRun(counter, state, now, planFor) + (counter.meter.self ? ownOf(counter, look) : 0)
  }

  /** What the waiting events of the run add to a key. */
  function extraOf({ at, meter, readSum, readKey }: Counter, key: string, { extras, track }: Look): number {
    let extra = 0
    for (const { source, operation, arguments: args, amount } of extras) {
      if (source !== meter.of) continue
      const plan = operation === null ? undefined : planFor(operation)
      if (plan !== undefined && plan.isCounted[at] !== true) continue
      const its = readKey === null ? scopeKey(meter.per, track, operation ?? '', plan?.tool ?? '') : keyOf(readKey(args), hashKey)
      if (its === key) extra += amount * (readSum === null ? 1 : amountOf(readSum(args)))
    }
    return extra
  }

  function adoptState(state: RunState): RunTrack {
    const track = trackState(state)
    for (const { n, proposed } of state.actions) {
      const action = track.actions[n]
      if (action !== undefined && proposed.digest !== null)
        action.metered = meteredOf(planFor(proposed.operation), proposed.sealed.arguments, hashKey)
    }
    tracks.set(track.run, track)
    return track
  }

  function view({ meter, rule, space, deviation }: Counter, nowMs: number): MeterView {
    const first = rule.firstSlot(nowMs)
    const slot = rule.slotOf(nowMs)
    return viewMeter(meter, space.entries(), (cell) =>
      deviation === null ? sumSince(cell, first) + cell.pending : deviation(cell, first, slot, cell.pending),
    )
  }

  return {
    get next() {
      return progress.next
    },
    get isWhole() {
      return progress.isWhole
    },
    reserve,
    release(run) {
      const track = tracks.get(run)
      if (track?.room?.isSuspended === false) drop(track)
      if (track?.seq === 0 && track.room === undefined) tracks.delete(run) // nothing is recorded of it, and perhaps never will be
    },
    suspend(run) {
      const room = tracks.get(run)?.room
      if (room !== undefined) room.isSuspended = true
    },
    fold,
    seqOf: (run) => tracks.get(run)?.seq ?? 0,
    adopt(entries) {
      const track = openTrack((entries[0]?.events ?? []) as readonly RunEvent[])
      for (const entry of track === undefined ? [] : entries) {
        for (const event of entry.events as readonly RunEvent[]) if (track) foldTrack(track, event, entry.atMs, () => undefined)
        if (track !== undefined) track.seq = entry.seq
      }
    },
    dump: () =>
      dumpBook({
        next: progress.next,
        atMs,
        fingerprint: fingerprintOf(meters),
        spaces: counters.map(({ space }) => space),
        tracks,
      }),
    view: (nowMs) => counters.map((counter) => view(counter, Math.max(atMs, nowMs))), // M3
  }
}

/** True for events that mean something to a meter although the run is not known. */
function isMetered(event: RunEvent): boolean {
  return !['run.opened', 'run.undone', 'run.finished', 'queue.added', 'queue.resolved'].includes(event.type)
}

/** What the action adds to a meter, if it runs. */
function ownOf({ at, meter, readSum }: Counter, look: Look): number {
  return look.plan.isCounted[at] === true || meter.of === 'steps' ? ownAmount(meter, readSum, look) : 0
}
