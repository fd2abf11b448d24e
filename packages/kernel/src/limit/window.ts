import type { CalendarUnit, Meter } from './meter.ts'

/**
 * Where time is cut: an increment falls into the slot of its moment, and a slot counts from the first one that is still in the
 * window.
 *
 * W1. What was counted at `t` counts at least until `t + ms`: a slot leaves only when every moment in it has left. W2. Slots and
 * the first slot never go back when time does not.
 */
export interface WindowRule {
  slotOf(atMs: number): number
  firstSlot(nowMs: number): number
  /** How long after its last increment a count is certainly zero. */
  readonly lifeMs: number
}

/** Tells when the hour, day, week (from Monday) or month of a moment began, in the project's time zone. */
export type MeterCalendar = (unit: CalendarUnit, atMs: number) => number

/** So many slots one sliding window has at most; its resolution is one of them. */
export const WINDOW_SLOTS = 4_096

/** How finely a sliding window is cut: to the millisecond up to 4 s, then to one part in 4,096. */
export function resolutionMs(windowMs: number): number {
  return Math.max(1, Math.ceil(windowMs / WINDOW_SLOTS))
}

const DAY_MS = 86_400_000
/** With room for a change of the clocks. */
const UNIT_LIFE_MS: Readonly<Record<CalendarUnit, number>> = {
  hour: 7_200_000,
  day: DAY_MS + 7_200_000,
  week: 7 * DAY_MS + 7_200_000,
  month: 31 * DAY_MS + 7_200_000,
}

/** The rule of a meter's window. A window `run` has none: it is read from the run itself. */
export function windowRule({ window, anomaly }: Pick<Meter, 'window' | 'anomaly'>, calendar: MeterCalendar): WindowRule {
  if (anomaly !== null) return slidingRule(anomaly.baselineMs, anomaly.bucketMs)
  if (window.kind === 'sliding') return slidingRule(window.ms, resolutionMs(window.ms))
  if (window.kind === 'calendar') {
    const { unit } = window
    const startOf = (atMs: number): number => calendar(unit, atMs)
    return { slotOf: startOf, firstSlot: startOf, lifeMs: UNIT_LIFE_MS[unit] }
  }
  return { slotOf: () => 0, firstSlot: () => 0, lifeMs: Number.POSITIVE_INFINITY }
}

/** How far back the journal must be read to count everything that still counts: infinite when something counts for ever. */
export function meterLifeMs(meters: readonly Pick<Meter, 'window' | 'anomaly'>[]): number {
  const lives = meters.map((meter) => (meter.window.kind === 'run' ? 0 : windowRule(meter, (_, atMs) => atMs).lifeMs))
  return Math.max(0, ...lives)
}

function slidingRule(windowMs: number, slotMs: number): WindowRule {
  return {
    slotOf: (atMs) => Math.floor(atMs / slotMs),
    firstSlot: (nowMs) => Math.floor((nowMs - windowMs + 1) / slotMs), // W1
    lifeMs: windowMs + slotMs,
  }
}

/** One count: amounts by slot, oldest first, those before `head` dropped. Plain data, changed in place. */
export interface MeterCell {
  slots: number[]
  amounts: number[]
  head: number
  /** Of the amounts from `head` on. */
  sum: number
  /** Reserved by actions that are decided and not recorded yet. */
  pending: number
  /** How often something before the newest slot changed: what is derived from it is stale then. */
  changes: number
}

/** A count of nothing. */
export function createCell(): MeterCell {
  return { slots: [], amounts: [], head: 0, sum: 0, pending: 0, changes: 0 }
}

/** Counts an amount in a slot. Slots come in order nearly always; one that does not is put where it belongs. */
export function addAmount(cell: MeterCell, slot: number, amount: number): void {
  const { slots, amounts } = cell
  const last = slots.length - 1
  cell.sum += amount
  if (last >= cell.head && slots[last] === slot) amounts[last] = (amounts[last] ?? 0) + amount
  else if (last < cell.head || (slots[last] ?? 0) < slot) {
    slots.push(slot)
    amounts.push(amount)
    cell.changes += 1
  } else insertAmount(cell, slot, amount)
}

function insertAmount(cell: MeterCell, slot: number, amount: number): void {
  const at = slotAt(cell, slot)
  if (cell.slots[at] === slot) cell.amounts[at] = (cell.amounts[at] ?? 0) + amount
  else {
    cell.slots.splice(at, 0, slot)
    cell.amounts.splice(at, 0, amount)
  }
  cell.changes += 1
}

/** Gives back an amount that was counted in a slot, if that slot still counts. */
export function takeAmount(cell: MeterCell, slot: number, amount: number): void {
  const at = slotAt(cell, slot)
  if (cell.slots[at] !== slot) return
  const taken = Math.min(amount, cell.amounts[at] ?? 0)
  cell.amounts[at] = (cell.amounts[at] ?? 0) - taken
  cell.sum = isExact(cell.sum) ? cell.sum - taken : sumFrom(cell)
  cell.changes += 1
}

/** The position of a slot, or of the first one after it. */
function slotAt({ slots, head }: MeterCell, slot: number): number {
  let low = head
  let high = slots.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((slots[middle] ?? 0) < slot) low = middle + 1
    else high = middle
  }
  return low
}

/** Forgets slots that no later moment of the journal can ask for. */
export function dropBefore(cell: MeterCell, first: number): void {
  const { slots, amounts } = cell
  let { head } = cell
  if (head >= slots.length || (slots[head] ?? first) >= first) return
  const exact = isExact(cell.sum)
  while (head < slots.length && (slots[head] ?? 0) < first) {
    cell.sum -= amounts[head] ?? 0
    head += 1
  }
  cell.head = head
  if (head === slots.length || head * 2 > slots.length) {
    slots.splice(0, head)
    amounts.splice(0, head)
    cell.head = 0
  }
  cell.changes += 1
  if (!exact) cell.sum = sumFrom(cell)
}

/** What counts from a slot on. Changes nothing: a clock that was ahead for a moment frees nothing for later. */
export function sumSince(cell: MeterCell, first: number): number {
  const { slots, amounts, head } = cell
  let { sum } = cell
  for (let at = head; at < slots.length && (slots[at] ?? first) < first; at++) sum -= amounts[at] ?? 0
  return sum
}

function sumFrom({ amounts, head }: MeterCell): number {
  let sum = 0
  for (let at = head; at < amounts.length; at++) sum += amounts[at] ?? 0
  return sum
}

/** Beyond 2^53 sums are not exact, so they are made anew instead of carried on. */
function isExact(sum: number): boolean {
  return sum <= Number.MAX_SAFE_INTEGER
}
