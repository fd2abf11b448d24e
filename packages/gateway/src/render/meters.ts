import { limitPolicyId, type Meter, type MeterView } from '@tidegate/kernel'
import type { WireMeter } from '@tidegate/protocol'
import { clip } from '../reply.ts'

/** A meter with its limits, and how full its largest counts are. */
export function renderMeter({ meter, keys, largest }: MeterView): WireMeter {
  const { name, of, operations, sum, per, window, self, anomaly, limits } = meter
  return {
    name,
    of,
    operations,
    sum,
    per,
    window,
    self,
    anomaly,
    limits: limits.map(({ on, bound, then, approvers, reason }, at) => ({
      policy: limitPolicyId(name, at),
      operations: on,
      bound: bound.kind,
      value: bound.value,
      outcome: then,
      approvers,
      reason: clip(reason),
    })),
    keys,
    largest: largest.map(({ kind, key, value, reserved }) => ({
      kind,
      key: clip(key),
      value,
      reserved,
      full: fullness(meter, value),
    })),
  }
}

/** How much of the next limit is used up. A limit of nothing at all cannot be filled, nor can one that asks for more. */
function fullness({ limits }: Pick<Meter, 'limits'>, value: number): number | null {
  const bounds = limits.flatMap(({ bound }) => (bound.kind === 'above' && bound.value > 0 ? [bound.value] : []))
  const sorted = bounds.toSorted((a, b) => a - b)
  const next = sorted.find((bound) => value <= bound) ?? sorted.at(-1)
  return next === undefined ? null : value / next
}
