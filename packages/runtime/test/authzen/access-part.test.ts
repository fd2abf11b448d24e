import { nodeHasher } from '@tidegate/crypto-node'
import { NEUTRAL_FACTS, type PolicyEngine, type PolicyRequest, type PolicyVerdict } from '@tidegate/kernel'
import { describe, expect, test } from 'vitest'
import { builtinTool, createAccessPart, withBuiltinPolicy } from '../../src/index.ts'

const part = createAccessPart({
  hasher: nodeHasher,
  nowMs: () => 1_000,
  load: async () => undefined,
  environment: 'production',
  answerMs: 1_000,
  grantMs: 500,
})

const permitted: PolicyVerdict = { kind: 'permitted', permits: [{ id: 'p', reason: 'r' }] }
const unmatched: PolicyVerdict = { kind: 'unmatched' }
const denied: PolicyVerdict = { kind: 'forbidden', forbids: [{ id: 'no', reason: 'r', outcome: 'deny', approvers: [] }] }
const broken: PolicyVerdict = { kind: 'broken', message: 'm' }
const approvers = [{ role: 'owner', count: 2 }]

function requestOf(operation: string, approvals: readonly string[]): PolicyRequest {
  const facts = { ...NEUTRAL_FACTS, approvals, time: { nowMs: 0, hour: 0, weekday: 1 } }
  const declared = {
    environment: 'production',
    risk: 'medium',
    mutability: 'write',
    dataClass: 'internal',
    blastRadius: 'single',
    nature: [],
    reversible: true,
    stage: 4,
  } as const
  const context = { ...declared, ...facts, arguments: { approvers } }
  return {
    agent: 'tidegate',
    workflow: 'access-request',
    operation,
    tool: 'tidegate',
    user: 'user:a',
    client: 'client:b',
    context,
  }
}

describe('who has the last word on the granting of access', () => {
  const own = 'tidegate:access-request'
  const cases: readonly (readonly [string, PolicyVerdict, readonly string[], string, readonly string[]])[] = [
    ['tidegate.access.grant', unmatched, [], 'forbidden', [own]],
    ['tidegate.access.grant', permitted, [], 'forbidden', [own]],
    ['tidegate.access.grant', denied, [], 'forbidden', ['no', own]],
    ['tidegate.access.grant', unmatched, [own], 'permitted', []],
    ['tidegate.access.grant', denied, [own], 'forbidden', ['no']],
    ['tidegate.access.grant', broken, [own], 'broken', []],
    ['tidegate.access.look', unmatched, [], 'permitted', []],
    ['tidegate.access.revoke', denied, [], 'forbidden', ['no']],
    ['desk.refund.create', unmatched, [own], 'unmatched', []],
    ['desk.refund.create', denied, [own], 'forbidden', ['no']],
  ]
  test.each(cases)('%s, policy says %j, approved by %j: %s', (operation, verdict, approvals, kind, ids) => {
    const engine: PolicyEngine = { version: 'v', evaluate: () => verdict }
    const judged = withBuiltinPolicy(engine, [part]).evaluate(requestOf(operation, approvals))
    expect([judged.kind, judged.kind === 'forbidden' ? judged.forbids.map(({ id }) => id) : []]).toEqual([kind, ids])
    const asked = judged.kind === 'forbidden' ? judged.forbids.filter(({ outcome }) => outcome === 'ask') : []
    for (const forbid of asked) expect(forbid.approvers).toEqual(approvers)
  })
})

describe('the grant itself', () => {
  const { connector } = builtinTool([part])
  const call = (requestedUntilMs: number) => ({
    operation: 'tidegate.access.grant',
    arguments: { request: 'RUN', requestedUntilMs },
    session: 'RUN',
    effectId: 'RUN.0',
    attempt: 1,
    timeoutMs: 1_000,
    secret: async () => '',
  })

  test.each([
    { wanted: 0, until: 1_500 },
    { wanted: 1_200, until: 1_200 },
    { wanted: 9_000, until: 1_500 },
  ])('asked for until $wanted it is good until $until', async ({ wanted, until }) => {
    const output = { approval: 'apr_RUN', approvedAtMs: 1_000, approvedUntilMs: until }
    expect(await connector.execute(call(wanted))).toEqual({ kind: 'done', output, complete: true })
  })

  test('for a time that has passed there is none, and nobody else has the operation', async () => {
    expect(await connector.execute(call(1_000))).toMatchObject({ kind: 'failed', failure: 'refused', retry: 'never' })
    const other = { ...call(0), operation: 'tidegate.unknown' }
    expect(await connector.execute(other)).toMatchObject({ kind: 'failed', failure: 'refused', retry: 'never' })
  })
})
