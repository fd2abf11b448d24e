import type { Json } from '../canonical/json.ts'
import { isObject, segmentsOf, valueAt } from '../canonical/pointer.ts'
import { AMOUNT_MAX, matchesOperation, type Meter, type Metered, RUN_SOURCES, type MeterSource } from './meter.ts'

/** Makes the key of an argument: equal for equal values, short, and meaningless to whoever does not know the values. */
export type HashKey = (value: Json) => string

/** Reads the value at one JSON pointer (RFC 6901) of many arguments. */
export type ReadAt = (args: Json) => Json | undefined

/** What one operation means to every meter of a project, found once. */
export interface OperationPlan {
  readonly tool: string
  /** Positions of the meters that count this operation, by what they count. */
  readonly counts: Readonly<Partial<Record<MeterSource, readonly number[]>>>
  /** Whether the meter at a position counts it. */
  readonly isCounted: readonly boolean[]
  /** What is recorded with a call. */
  readonly sums: readonly PointerPlan[]
  readonly keys: readonly PointerPlan[]
}

interface PointerPlan {
  readonly pointer: string
  readonly read: ReadAt
}

/** Finds what an operation means to the meters. Operations come from planners too, so what is remembered is bounded. */
export function createPlanner(meters: readonly Meter[]): (operation: string) => OperationPlan {
  const plans = new Map<string, OperationPlan>()
  return (operation) => {
    const known = plans.get(operation)
    if (known !== undefined) return known
    const plan = planOf(meters, operation)
    if (plans.size >= PLANS_MAX) plans.clear()
    plans.set(operation, plan)
    return plan
  }
}

const PLANS_MAX = 4_096

function planOf(meters: readonly Meter[], operation: string): OperationPlan {
  const isCounted = meters.map((meter) => !RUN_SOURCES.includes(meter.of) && matchesOperation(meter.operations, operation))
  const counts: Partial<Record<MeterSource, number[]>> = {}
  const sums = new Set<string>()
  const keys = new Set<string>()
  for (const [at, meter] of meters.entries()) {
    if (!isCounted[at] || meter.window.kind === 'run') continue
    counts[meter.of] = [...(counts[meter.of] ?? []), at]
    if (meter.sum !== null) sums.add(meter.sum)
    if (meter.per.startsWith('/')) keys.add(meter.per)
  }
  return {
    tool: toolOf(operation),
    counts,
    isCounted,
    sums: [...sums].toSorted().map(pointerPlan),
    keys: [...keys].toSorted().map(pointerPlan),
  }
}

function pointerPlan(pointer: string): PointerPlan {
  return { pointer, read: readerAt(pointer) }
}

/** A reader that does not take the pointer apart each time. */
export function readerAt(pointer: string): ReadAt {
  const [name, ...deeper] = segmentsOf(pointer)
  if (name === undefined || deeper.length > 0) return (args) => valueAt(args, pointer)
  return (args) => (isObject(args) && Object.hasOwn(args, name) ? args[name] : undefined)
}

/** Where the meters stand that count what belongs to a run and to no operation. */
export function plansOfRun(meters: readonly Meter[]): Readonly<Partial<Record<MeterSource, readonly number[]>>> {
  const counts: Partial<Record<MeterSource, number[]>> = {}
  for (const [at, meter] of meters.entries()) {
    if (RUN_SOURCES.includes(meter.of) && meter.window.kind !== 'run') counts[meter.of] = [...(counts[meter.of] ?? []), at]
  }
  return counts
}

/** The facts about one call's arguments that are recorded; undefined when no meter asks for any. */
export function meteredOf({ sums, keys }: OperationPlan, args: Json, hashKey: HashKey): Metered | undefined {
  if (sums.length === 0 && keys.length === 0) return undefined
  const metered: { keys?: Record<string, string>; sums?: Record<string, number> } = {}
  if (keys.length > 0) {
    metered.keys = {}
    for (const { pointer, read } of keys) metered.keys[pointer] = keyOf(read(args), hashKey)
  }
  if (sums.length > 0) {
    metered.sums = {}
    for (const { pointer, read } of sums) metered.sums[pointer] = amountOf(read(args))
  }
  return metered
}

/**
 * An amount as a whole number. What cannot be told counts as {@link AMOUNT_MAX}, over every limit: an argument that is left out
 * may mean "all of it", and a negative one would give room to others.
 */
export function amountOf(value: Json | undefined): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) return AMOUNT_MAX
  return Math.min(AMOUNT_MAX, Math.ceil(value))
}

/** The key of a value; calls that have none share one. */
export function keyOf(value: Json | undefined, hashKey: HashKey): string {
  return value === undefined ? '' : hashKey(value)
}

/** The tool of an operation: everything before the first dot. */
export function toolOf(operation: string): string {
  const dot = operation.indexOf('.')
  return dot === -1 ? operation : operation.slice(0, dot)
}
