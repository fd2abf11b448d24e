import type { Anomaly } from './meter.ts'
import type { MeterCell } from './window.ts'

/** So many active buckets make a baseline; before, nothing is unusual. */
export const BASELINE_BUCKETS = 8

/** The largest deviation that is told, in hundredths. */
const DEVIATION_MAX = 1_000_000

/**
 * How far a bucket stands above the usual, in hundredths of a deviation; 0 when it does not.
 *
 * The usual is the median of the active buckets before it, and a deviation is 1.4826 times their median absolute deviation (which
 * is the standard deviation where counts are normal), at least the square root of the median, at least 1. Medians, so that
 * neither a few wild hours nor an attacker who raises the volume for less than half of the baseline moves it far. Empty buckets
 * say nothing about how much is usual when something happens: nights do not make mornings unusual.
 */
export function deviationOf(past: readonly number[], current: number, minimum: number): number {
  if (current < minimum) return 0
  return deviationFrom(baselineOf(past), current)
}

/** What is usual, and how much it varies; undefined while too little is known. */
export interface Baseline {
  readonly median: number
  readonly spread: number
}

function baselineOf(past: readonly number[]): Baseline | undefined {
  const active = past.filter((amount) => amount > 0)
  if (active.length < BASELINE_BUCKETS) return undefined
  const median = medianOf(active)
  const deviation = 1.4826 * medianOf(active.map((amount) => Math.abs(amount - median)))
  return { median, spread: Math.max(1, Math.sqrt(median), deviation) }
}

function deviationFrom(baseline: Baseline | undefined, current: number): number {
  if (baseline === undefined || current <= baseline.median) return 0
  return Math.min(DEVIATION_MAX, Math.floor((100 * (current - baseline.median)) / baseline.spread))
}

function medianOf(amounts: readonly number[]): number {
  const sorted = amounts.toSorted((a, b) => a - b)
  const middle = sorted.length >>> 1
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}

/** Reads deviations of one meter, and remembers each key's baseline as long as nothing about it changes. */
export type ReadDeviation = (cell: MeterCell, first: number, slot: number, extra: number) => number

/**
 * Creates a reader: `slot` is the bucket of now, `first` the oldest of the baseline, `extra` what is not counted in the cell yet.
 */
export function createDeviationReader({ minimum }: Pick<Anomaly, 'minimum'>): ReadDeviation {
  const known = new WeakMap<
    MeterCell,
    { readonly first: number; readonly slot: number; readonly changes: number; readonly baseline: Baseline | undefined }
  >()
  return (cell, first, slot, extra) => {
    const { slots, amounts, head, changes } = cell
    const last = slots.length - 1
    const isCurrent = last >= head && slots[last] === slot
    const current = (isCurrent ? (amounts[last] ?? 0) : 0) + extra
    if (current < minimum) return 0
    const before = known.get(cell)
    if (before?.slot === slot && before.first === first && before.changes === changes)
      return deviationFrom(before.baseline, current)
    const past: number[] = []
    for (let at = head; at <= last; at++) {
      const bucket = slots[at] ?? 0
      if (bucket >= first && bucket < slot) past.push(amounts[at] ?? 0)
    }
    const baseline = baselineOf(past)
    known.set(cell, { first, slot, changes, baseline })
    return deviationFrom(baseline, current)
  }
}
