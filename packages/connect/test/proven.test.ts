import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { configDigest, type Detection, judgeProof, openConnections, type ProofFile } from '../src/index.ts'
import { createGround, type Ground } from './fake-host.ts'

let ground: Ground
let file: string
beforeEach(() => {
  ground = createGround()
  file = join(ground.home, 'settings.json')
  writeFileSync(file, '{}')
})
afterEach(() => ground.clean())

const detection = (over: Partial<Detection> = {}): Detection => ({
  ...{ installed: true, version: '2.0', files: [{ role: 'settings', file, exists: true }], notes: [], surfaces: ['bash', 'mcp'] },
  ...over,
})
const proof = (over: Partial<ProofFile> = {}): ProofFile => ({
  ...{ v: 1, name: 'fake', kind: 'mcp', hostVersion: '2.0', configDigest: configDigest([file]), atMs: 1 },
  surfaces: [
    { name: 'bash', intercepted: true },
    { name: 'mcp', intercepted: true },
  ],
  ...over,
})

test('a proof of this version, this configuration and every surface', () => {
  expect(judgeProof(proof(), detection())).toEqual({ state: 'proven' })
})

const gaps: readonly (readonly [string, () => ProofFile | undefined, Partial<Detection>, RegExp])[] = [
  ['none', () => undefined, {}, /nothing has proved/],
  ['of another version', () => proof(), { version: '2.1' }, /version 2.0 was proved, and 2.1 is installed/],
  ['of a version that is not known', () => proof({ hostVersion: '' }), {}, /version unknown was proved/],
  ['of another configuration', () => proof({ configDigest: '0'.repeat(64) }), {}, /configuration has changed/],
  ['silent about a surface', () => proof(), { surfaces: ['bash', 'mcp', 'cron'] }, /cron/],
  ['of a surface that was not intercepted', () => proof({ surfaces: [{ name: 'bash', intercepted: true }, { name: 'mcp', intercepted: false }] }), {}, /mcp/],
  ['of a further surface that was not intercepted', () => proof({ surfaces: [...proof().surfaces, { name: 'acp', intercepted: false }] }), {}, /acp/],
] // biome-ignore format: one gap on each line
test.each(gaps)('unproven: %s', (_, made, over, why) => {
  const judged = judgeProof(made(), detection(over))
  expect(judged.state).toBe('unproven')
  if (judged.state === 'unproven') expect(judged.why).toMatch(why)
})

test('a proof is kept, and one that is not understood is no proof', () => {
  const store = openConnections(ground.state)
  store.writeProof('fake', proof())
  expect(store.readProof('fake')).toEqual(proof())
  writeFileSync(join(ground.state, 'fake', 'proof.json'), JSON.stringify({ ...proof(), surfaces: 'all' }))
  expect(() => store.readProof('fake')).toThrow(expect.objectContaining({ code: 'record_broken' }))
})

test('the digest is of the bytes, whatever the order, and a missing file counts', () => {
  const other = join(ground.home, 'other.json')
  const missing = configDigest([file, other])
  expect(configDigest([other, file])).toBe(missing)
  writeFileSync(other, '')
  expect(configDigest([file, other])).not.toBe(missing)
})
