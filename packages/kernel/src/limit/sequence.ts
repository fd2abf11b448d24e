import type { Meter, MeterLimit, MeterScope, MeterWindow } from './meter.ts'

/** A rule about the order of things: what may never follow, or what must have come before. */
export interface Sequence {
  readonly name: string
  /** `never`: not once one of `other` was called. `formerly`: only after so many of `other` succeeded. */
  readonly kind: 'never' | 'formerly'
  /** The operations that it binds, as patterns. */
  readonly operations: readonly string[]
  /** The operations that came before, or had to. */
  readonly other: readonly string[]
  /** How many had to come before; 1 for a plain `formerly`. */
  readonly least: number
  readonly per: MeterScope
  readonly within: MeterWindow
  readonly then: MeterLimit['then']
  readonly approvers: MeterLimit['approvers']
  readonly reason: string
}

/**
 * A sequence as a meter with one limit. What must never have come before counts from its start, since it may have been seen or
 * done although it failed; what must have come before counts when it succeeded. The action itself does not count.
 */
export function meterOfSequence(sequence: Sequence): Meter {
  const { name, kind, operations, other, least, per, within, then, approvers, reason } = sequence
  const isNever = kind === 'never'
  const bound = isNever ? ({ kind: 'above', value: 0 } as const) : ({ kind: 'below', value: least } as const)
  return {
    name,
    of: isNever ? 'calls' : 'successes',
    operations: other,
    sum: null,
    per,
    window: within,
    self: false,
    anomaly: null,
    limits: [{ on: operations, bound, then, approvers, reason }],
  }
}
