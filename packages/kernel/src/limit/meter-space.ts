import { METER_KEYS_MAX } from './meter.ts'
import { createCell, type MeterCell } from './window.ts'

/** Where keys beyond {@link METER_KEYS_MAX} are counted together. No key has this name: keys hold no control characters. */
const REST = '\u0000'

/**
 * The counts of one meter by key, in bounded memory.
 *
 * Two generations: what was not touched for a whole life of the window is zero by then, and is dropped with the older generation.
 * No sweep, no timer, and the same at every replay.
 */
export interface MeterSpace {
  find(key: string): MeterCell | undefined
  /** The count of a key; made when there is none. */
  open(key: string): MeterCell
  /** Moves on to another generation when the journal's time says so. `keep` are keys with something reserved. */
  turn(atMs: number, keep: () => Iterable<string>): void
  entries(): Iterable<readonly [string, MeterCell]>
}

/** Creates an empty space whose counts live for `lifeMs` after their last increment. */
export function createMeterSpace(lifeMs: number, keysMax = METER_KEYS_MAX): MeterSpace {
  let current = new Map<string, MeterCell>()
  let previous = new Map<string, MeterCell>()
  let turnAtMs: number | undefined

  function find(key: string): MeterCell | undefined {
    const cell = current.get(key)
    if (cell !== undefined) return cell
    const older = previous.get(key)
    if (older !== undefined) {
      previous.delete(key)
      current.set(key, older)
      return older
    }
    return key !== REST && current.size + previous.size >= keysMax ? find(REST) : undefined
  }

  function open(key: string): MeterCell {
    const known = find(key)
    if (known !== undefined) return known
    const name = current.size + previous.size >= keysMax ? REST : key
    const cell = createCell()
    current.set(name, cell)
    return cell
  }

  return {
    find,
    open,
    turn(atMs, keep) {
      turnAtMs ??= atMs + lifeMs
      if (atMs < turnAtMs) return
      for (const key of keep()) find(key)
      const isLong = atMs >= turnAtMs + lifeMs
      previous = isLong ? new Map([...current].filter(([, cell]) => cell.pending > 0)) : current
      current = new Map()
      turnAtMs = atMs + lifeMs
    },
    *entries() {
      yield* previous
      yield* current
    },
  }
}
