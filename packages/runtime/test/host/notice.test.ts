import { expect, test } from 'vitest'
import { type HostView, noticesOf } from '../../src/index.ts'

const VIEW: HostView = {
  ...{ name: 'claw', kind: 'openclaw', agent: 'claw', mode: 'enforce', tickets: true, lastSeenMs: 1_000_000, lastCallMs: null },
  ...{ hostVersion: '1', pluginVersion: '1', configDigest: 'd', surfaces: [], others: [] },
  ...{ calls: 0, denied: 0, wouldHave: 0, withoutTicket: 0 },
}
const PROOF = { hostVersion: '1', configDigest: 'd', isWhole: true }
const GROUND = { proof: PROOF, nowMs: 1_000_000, sinceMs: 0, silentAfterMs: 600_000 }

const cases: readonly (readonly [string, Partial<HostView>, Partial<Parameters<typeof noticesOf>[1]>, readonly string[]])[] = [
  ['as it was proved', {}, {}, []],
  ['another version', { hostVersion: '2' }, {}, ['unproven']],
  ['another configuration', { configDigest: 'e' }, {}, ['unproven']],
  ['not heard of yet since the start', { hostVersion: null, configDigest: null, lastSeenMs: null }, { sinceMs: 900_000 }, []],
  ['enforced and never proved', {}, { proof: undefined }, ['unproven']],
  ['observed and never proved', { mode: 'observe' }, { proof: undefined }, []],
  ['observed, and another than was proved', { mode: 'observe', hostVersion: '2' }, {}, ['unproven']],
  ['enforced, and the proof left ways open', {}, { proof: { ...PROOF, isWhole: false } }, ['unproven']],
  ['silent for just so long', {}, { nowMs: 1_600_000 }, []],
  ['silent for longer', {}, { nowMs: 1_600_001 }, ['silent']],
  ['never heard of, and the server has just started', { lastSeenMs: null }, { sinceMs: 900_000 }, []],
  ['never heard of for longer', { lastSeenMs: null }, { nowMs: 1_600_001, sinceMs: 1_000_000 }, ['silent']],
  ['may be silent', {}, { nowMs: 9_000_000, silentAfterMs: null }, []],
  ['both', { hostVersion: '2' }, { nowMs: 9_000_000 }, ['unproven', 'silent']],
]
test.each(cases)('%s', (_, view, ground, kinds) => {
  expect(noticesOf({ ...VIEW, ...view }, { ...GROUND, ...ground }).map(({ kind }) => kind)).toEqual(kinds)
})
