import type { Meter } from './meter.ts'
import type { MeterCell } from './window.ts'

/** The most keys that one view of a meter names. */
export const METER_VIEW_KEYS = 20

/**
 * What a key stands for. `all`: everybody; `name`: an agent, user, workflow, tool, operation or run by its name; `hash`: a value of
 * an argument, as its keyed hash; `none`: what was counted without the argument or the name; `rest`: all keys that were one too
 * many for the meter, together.
 */
export const METER_KEY_KINDS = ['all', 'name', 'hash', 'none', 'rest'] as const

export type MeterKeyKind = (typeof METER_KEY_KINDS)[number]

/** The count of one key as of now. */
export interface MeterKeyView {
  readonly kind: MeterKeyKind
  /** Empty unless `kind` is `name` or `hash`. Operations come from planners too: whoever shows it makes it inert. */
  readonly key: string
  /** What policy would be told of it, without the action that asks. */
  readonly value: number
  /** How much of it is held by actions that are decided and not recorded yet, in the unit of the meter. */
  readonly reserved: number
}

/** A declared meter, and its counts as of now. */
export interface MeterView {
  readonly meter: Meter
  /** How many keys have a value; always 0 for the window `run`, which is counted in each run and nowhere else. */
  readonly keys: number
  /** At most {@link METER_VIEW_KEYS} of them, largest value first. */
  readonly largest: readonly MeterKeyView[]
}

/** The name under which a space counts the keys that are too many. A key holds no control characters. */
const REST = '\u0000'

/** Looks at the counts of one meter without touching them; `shownBy` says what a count shows now. */
export function viewMeter(
  meter: Meter,
  counts: Iterable<readonly [key: string, cell: MeterCell]>,
  shownBy: (cell: MeterCell) => number,
): MeterView {
  const largest: MeterKeyView[] = []
  let keys = 0
  for (const [name, cell] of counts) {
    const value = Math.min(shownBy(cell), Number.MAX_SAFE_INTEGER)
    const reserved = Math.min(cell.pending, Number.MAX_SAFE_INTEGER)
    if (value === 0 && reserved === 0) continue
    keys += 1
    const last = largest.at(-1)
    if (last !== undefined && largest.length === METER_VIEW_KEYS && value < last.value) continue
    const kind = kindOf(meter, name)
    const view = { kind, key: kind === 'name' || kind === 'hash' ? name : '', value, reserved }
    const at = largest.findIndex((other) => isBefore(view, other))
    largest.splice(at === -1 ? largest.length : at, 0, view)
    if (largest.length > METER_VIEW_KEYS) largest.pop()
  }
  return { meter, keys, largest }
}

/** Equal values stand in the order of their keys, so that a view does not depend on who was counted first. */
function isBefore(one: MeterKeyView, other: MeterKeyView): boolean {
  return one.value === other.value ? one.key < other.key : one.value > other.value
}

function kindOf({ per }: Meter, key: string): MeterKeyKind {
  if (key === REST) return 'rest'
  if (per === 'global') return 'all'
  if (key === '') return 'none'
  return per.startsWith('/') ? 'hash' : 'name'
}
