import {
  changeAnswerSchema,
  policyExplanationSchema,
  policyPlanSchema,
  policyTextsSchema,
  policyVersionListSchema,
  toolChangeListSchema,
} from '@tidegate/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { STATUS_OF_CODE } from '../src/index.ts'
import { createFakeChangeDesk, NOW_VERSION, OLD_VERSION } from './fake-change-desk.ts'
import { createFakeTidegate } from './fake-tidegate.ts'
import { TOKENS } from './people.ts'
import { send } from './raw-request.ts'
import { gatewayOver } from './start-gateway.ts'

const desk = createFakeChangeDesk()
const gateway = gatewayOver({ ...createFakeTidegate(), changes: desk })
const bare = gatewayOver(createFakeTidegate())
let port = 0
let barePort = 0
beforeAll(async () => {
  port = (await gateway.listen()).port
  barePort = (await bare.listen()).port
})
afterAll(() => Promise.all([gateway.close(), bare.close()]))

async function ask(who: keyof typeof TOKENS, method: string, path: string, body?: object, at = port) {
  const headers = { authorization: `Bearer ${TOKENS[who]}`, 'content-type': 'application/json' }
  const answer = await send(at, method, `/v1${path}`, { headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  return { status: answer.status, json: JSON.parse(answer.text) }
}

const FILES = [{ file: 'policies/desk.cedar', text: '@id("a") permit (principal, action, resource);' }]
const GARBAGE = [{ file: 'policies/desk.cedar', text: 'garbage' }]

test('a plan says what would change, and what the past would have been', async () => {
  const { status, json } = await ask('mei', 'POST', '/policy/plan', { files: FILES, backtest: { last: 50, sinceMs: 7 } })
  expect([status, policyPlanSchema.parse(json)]).toEqual([200, json])
  expect(json.backtest).toMatchObject({ changed: 17, loosened: 2 })
  expect(desk.calls.at(-1)?.with).toMatchObject({
    files: [{ layer: 'project' }],
    backtest: { last: 50, sinceMs: 7 },
    person: { id: 'user:mei' },
  })
})

test('garbage is refused with every place, whatever was asked', async () => {
  for (const path of ['/policy/plan', '/policy/apply']) {
    const { status, json } = await ask('otto', 'POST', path, { files: GARBAGE, ...(path.endsWith('apply') ? { why: 'w' } : {}) })
    expect([status, json.code, json.issues.length]).toEqual([422, 'policy_refused', 25])
    expect(json.issues[24]).toEqual({ path: 'policies/desk.cedar:25:3', message: 'unexpected token' })
  }
})

test('a change opens a run, for those who may', async () => {
  const { status, json } = await ask('otto', 'POST', '/policy/apply', { files: FILES, backtest: null, why: 'no more' })
  expect([status, changeAnswerSchema.parse(json)]).toEqual([202, { run: 'run-0001', version: NOW_VERSION }])
  expect(desk.calls.at(-1)?.with).toMatchObject({ backtest: null, why: 'no more' })
  expect(await ask('mei', 'POST', '/policy/apply', { files: FILES, why: 'w' })).toMatchObject({
    status: 403,
    json: { code: 'not_entitled' },
  })
})

test('versions are listed, shown, and gone back to', async () => {
  const list = await ask('mei', 'GET', '/policy/versions')
  expect(policyVersionListSchema.parse(list.json).versions.map(({ version }) => version)).toEqual([NOW_VERSION, OLD_VERSION])
  const shown = await ask('mei', 'GET', `/policy/version?version=${OLD_VERSION.slice(0, 6)}`)
  expect(policyTextsSchema.parse(shown.json).texts).toHaveLength(1)
  expect((await ask('mei', 'GET', '/policy/version?version=ffffff')).status).toBe(404)
  expect((await ask('otto', 'POST', '/policy/rollback', { why: 'w' })).json.version).toBe(OLD_VERSION)
  expect((await ask('otto', 'POST', '/policy/rollback', { version: 'ffffff', why: 'w' })).status).toBe(404)
})

test('decisions are explained', async () => {
  const { json } = await ask('mei', 'GET', '/policy/explain?run=run-0001&action=0')
  expect(policyExplanationSchema.parse(json).decisions).toMatchObject([{ verdict: 'agrees', rules: [{ id: 'no-set', line: 4 }] }])
})

test('changed operations are reviewed and accepted', async () => {
  const { json } = await ask('mei', 'GET', '/changes/tools')
  expect(toolChangeListSchema.parse(json).changes).toMatchObject([{ operation: 'desk.set', accepted: '1' }])
  expect((await ask('otto', 'POST', '/changes/tools', { operation: 'desk.set', why: 'w' })).status).toBe(202)
  const other = await ask('otto', 'POST', '/changes/tools', { operation: 'desk.read', why: 'w' })
  expect([other.status, STATUS_OF_CODE.nothing_to_change]).toEqual([409, 409])
})

test.each([
  ['no file', '/policy/plan', { files: [] }],
  ['a layer of ours', '/policy/plan', { files: [{ ...FILES[0], layer: 'builtin' }] }],
  ['something unknown', '/policy/plan', { files: FILES, force: true }],
  ['too much of the past', '/policy/plan', { files: FILES, backtest: { last: 2_000_000 } }],
  ['no reason', '/policy/apply', { files: FILES }],
  ['a version that is none', '/policy/rollback', { version: '../..', why: 'w' }],
])('%s is not understood', async (_, path, body) => {
  const before = desk.calls.length
  expect(await ask('otto', 'POST', path, body)).toMatchObject({ status: 400, json: { code: 'invalid_request' } })
  expect(desk.calls.length).toBe(before)
})

test('a server without a desk says so', async () => {
  expect(await ask('otto', 'GET', '/policy/versions', undefined, barePort)).toMatchObject({
    status: 404,
    json: { code: 'not_found' },
  })
})
