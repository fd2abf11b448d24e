import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runConformance } from '../src/conformance.ts'

/** A test of our own in the form of the public repository; `expected` is what the one request says. */
const EXPECTED = { decision: 'allow', reason: ['policy0'], errors: ['policy1'] }
const FILES = {
  'sample-data/entities.json': JSON.stringify([{ uid: { type: 'User', id: 'ann' }, attrs: { from: '10.0.0.1' }, parents: [] }]),
  'sample-data/shop.cedarschema':
    'entity User = { from?: ipaddr }; action view appliesTo { principal: User, resource: User, context: {} };',
  'tests/a/policies.cedar':
    'permit (principal, action, resource) when { principal.from.isIpv4() }; forbid (principal, action, resource) when { resource.from.isIpv4() };',
}
const request = (fields: object) => ({
  principal: { type: 'User', id: 'ann' },
  action: { type: 'Action', id: 'view' },
  resource: { type: 'User', id: 'bob' },
  context: {},
  ...EXPECTED,
  ...fields,
})

let root = ''
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'conformance-'))
})
afterEach(() => rm(root, { recursive: true }))

/** Writes the suite with this test, and runs what the folder says. */
async function run(
  fields: object,
  options: { readonly folder?: string; readonly test?: object; readonly files?: Readonly<Record<string, string>> } = {},
) {
  const suite = {
    policies: 'tests/a/policies.cedar',
    entities: 'sample-data/entities.json',
    schema: 'sample-data/shop.cedarschema',
    shouldValidate: false,
    requests: [request(fields)],
    ...options.test,
  }
  const files = { ...FILES, 'tests/a/1.json': JSON.stringify(suite), ...options.files }
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), text)
  }
  return runConformance(join(root, options.folder ?? ''))
}

describe('conformance', () => {
  test.each(['', 'tests', 'tests/a'])('a suite that agrees, found from %j', async (folder) => {
    expect(await run({}, { folder })).toEqual({
      tests: 1,
      requests: 1,
      invalidAsExpected: 1,
      invalidByWarning: 0,
      evaluationErrors: 1,
      mismatches: [],
    })
  })

  test.each([
    ['decision', { decision: 'deny' }],
    ['reason', { reason: [] }],
    ['reason', { reason: ['policy0', 'policy1'] }],
    ['errors', { errors: [] }],
    ['errors', { errors: ['policy0', 'policy1'] }],
  ])('another %s is a mismatch: %j', async (what, fields) => {
    const { mismatches } = await run(fields)
    expect(mismatches.map((mismatch) => [mismatch.test, mismatch.request, mismatch.what])).toEqual([
      [join('tests', 'a', '1.json'), 0, what],
    ])
  })

  test('another verdict of the validator is a mismatch', async () => {
    const { mismatches } = await run({}, { test: { shouldValidate: true } })
    expect(mismatches).toMatchObject([{ what: 'validation', request: undefined }])
  })

  test('policies that no action fits count as invalid, where the test says so', async () => {
    const policies = 'permit (principal, action == Action::"view", resource == Org::"x");'
    const schema = 'entity User, Org; action view appliesTo { principal: User, resource: User };'
    const files = {
      'tests/a/policies.cedar': policies,
      'sample-data/shop.cedarschema': schema,
      'sample-data/entities.json': '[]',
    }
    const report = await run({ decision: 'deny', reason: [], errors: [] }, { files })
    expect(report).toMatchObject({ invalidByWarning: 1, mismatches: [] })
  })

  test.each([
    ['policies that do not parse', { files: { 'tests/a/policies.cedar': 'permit' } }],
    ['a schema that does not parse', { files: { 'sample-data/shop.cedarschema': 'entity' } }],
    [
      'entities that do not fit',
      { files: { 'sample-data/entities.json': '[{"uid": {"type": "No", "id": ""}, "attrs": {}, "parents": []}]' } },
    ],
    [
      'a file that is not there',
      {
        test: { policies: 'tests/a/other.cedar', requests: [] },
        files: { 'tests/a/0.json': '{"policies": "tests/a/policies.cedar"}' },
      },
    ],
    ['a file outside of the suite', { test: { entities: '../../etc/passwd' } }],
    ['no requests', { test: { requests: null } }],
    ['no JSON', { files: { 'tests/a/2.json': '{' } }],
  ])('%s is a mismatch, never skipped', async (_what, options) => {
    const { mismatches } = await run({}, options)
    expect(mismatches.filter(({ what }) => what === 'unreadable').length).toBeGreaterThan(0)
  })

  test('a folder without tests is refused', async () => {
    await expect(runConformance(root)).rejects.toMatchObject({ code: 'conformance_suite' })
    await expect(runConformance(join(root, 'missing'))).rejects.toMatchObject({ code: 'conformance_suite' })
  })
})
