import type { ConnectorCall } from '@tidegate/kernel'
import { type Chance, type Hazard, type HazardKind, type LookHazard, NO_HAZARD, WORLD_OPERATIONS } from '@tidegate/testkit'
import type { Weather } from '../plan/scenario.ts'

const KINDS: readonly HazardKind[] = [
  'busy',
  'busy',
  'refused',
  'broken',
  'broken',
  'thrown',
  'silent',
  'incomplete',
  'tampered',
  'malformed',
]
const SETTLING: readonly HazardKind[] = ['late', 'late', 'broken', 'silent', 'thrown', 'busy']

/** Draws what goes wrong with a call. */
export function drawHazard(chance: Chance, weather: Weather, call: ConnectorCall): Hazard {
  const latencyMs = weather.delayMs === 0 ? 0 : chance.below(weather.delayMs)
  if (weather.hazard === 0 || !chance.oneIn(weather.hazard)) return { ...NO_HAZARD, latencyMs }
  const settleMs = WORLD_OPERATIONS.find(({ id }) => id === call.operation)?.settleMs ?? 0
  return {
    kind: chance.pick(settleMs > 0 ? SETTLING : KINDS),
    applied: chance.oneIn(2),
    latencyMs,
    landsMs: chance.below(settleMs + 1),
  }
}

/** Draws what goes wrong with a look. */
export function drawLookHazard(chance: Chance, weather: Weather): LookHazard {
  return weather.look === 0 || !chance.oneIn(weather.look)
    ? 'none'
    : chance.pick(['failed', 'thrown', 'unknown', 'vague', 'vague', 'doubled', 'silent'])
}
