import type { Connector, PolicyVerdict } from '@tidegate/kernel'
import { createDisk, createMemoryJournal } from '@tidegate/testkit'
import { describe, expect, test, vi } from 'vitest'
import { createWorld, MEI, OPS, PERMIT, policyOf } from '../bench-desk.ts'
import { callOf, startHost } from './host-bench.ts'

const SOON = { waitMs: 2_000 }
const ASK: PolicyVerdict = {
  kind: 'forbidden',
  forbids: [{ id: 'ask', reason: 'people decide', outcome: 'ask', approvers: [{ role: 'billing-lead', count: 1 }] }],
}
const DENY: PolicyVerdict = {
  kind: 'forbidden',
  forbids: [{ id: 'no', reason: 'never', outcome: 'deny', approvers: [] }],
}
const asking = policyOf((_, approvals) => (approvals.includes('ask') ? PERMIT : ASK))
const denying = policyOf(() => DENY)

async function approve({ tidegate }: Awaited<ReturnType<typeof startHost>>, id: string, vote: 'approve' | 'refuse' = 'approve') {
  const view = await tidegate.approval(id)
  return tidegate.vote(id, { person: MEI, vote, why: 'seen', digest: view?.approval.question.digest ?? '' })
}

describe('what we do for a host', () => {
  test('is done once, in two records, and answered', async () => {
    const host = await startHost()
    const answer = await host.desk.perform(callOf(), SOON)
    expect(answer).toMatchObject({ kind: 'done', output: { ok: true }, complete: true })
    const run = 'run' in answer ? answer.run : ''
    expect(host.connector).toMatchObject({ done: ['desk.set 0'] })
    const entries = await host.journal.read(`run/${run}`)
    expect(entries.map(({ events }) => events.map(({ type }) => type))).toEqual([
      ['run.opened', 'action.proposed', 'action.decided', 'effect.started'],
      ['effect.finished', 'plan.finished', 'run.finished'],
    ])
    expect(await host.tidegate.runs({ limit: 9 })).toMatchObject([
      { state: 'completed', workflow: 'host-claw', agent: 'claw-agent' },
    ])
  })

  test('the same call again is not done again, also after a restart', async () => {
    const disk = createDisk()
    const connector = createWorld()
    const host = await startHost({ journal: createMemoryJournal(disk), connector })
    const first = await host.desk.perform(callOf({ call: 'same' }), SOON)
    expect(await host.desk.perform(callOf({ call: 'same' }), SOON)).toEqual(first)
    const later = await startHost({ journal: createMemoryJournal(disk), connector })
    const again = await later.desk.perform(callOf({ call: 'same' }), SOON)
    expect(again).toEqual(first)
    expect(connector.done).toEqual(['desk.set 0'])
  })

  test('calls at the same time do not wait for each other', async () => {
    const doors = new Map<string, () => void>()
    const slow: Connector = {
      ...createWorld(),
      execute: ({ effectId }) =>
        new Promise((resolve) => doors.set(effectId, () => resolve({ kind: 'done', output: { ok: true }, complete: true }))),
    }
    const host = await startHost({ connector: slow })
    const answers = ['a', 'b', 'c'].map((id) => host.desk.perform(callOf({ arguments: { id } }), SOON))
    await vi.waitFor(() => expect(doors.size).toBe(3))
    for (const open of doors.values()) open()
    expect((await Promise.all(answers)).map(({ kind }) => kind)).toEqual(['done', 'done', 'done'])
  })

  test('what policy denies is denied at once, with its reasons, and nobody has to clear a queue', async () => {
    const host = await startHost({ policy: denying })
    expect(await host.desk.perform(callOf(), SOON)).toMatchObject({
      kind: 'denied',
      reasons: ['never (no)'],
      failure: 'policy_denial',
    })
    expect(await host.tidegate.queue({ all: true })).toEqual([])
    expect(host.connector).toMatchObject({ done: [] })
  })

  test('an operation that the project does not give to the host is denied', async () => {
    const host = await startHost()
    expect(await host.desk.perform(callOf({ operation: 'desk.unset' }), SOON)).toMatchObject({ kind: 'denied' })
    expect(await host.desk.perform(callOf({ operation: 'nobody.knows' }), SOON)).toMatchObject({ kind: 'denied' })
  })

  test('a stop is answered at once, and nothing starts', async () => {
    const host = await startHost()
    await host.tidegate.stop({ person: OPS, scope: 'agent:claw-agent', mode: 'hold', why: 'wrong' })
    expect(await host.desk.perform(callOf(), SOON)).toMatchObject({ kind: 'stopped' })
    expect(host.connector).toMatchObject({ done: [] })
  })
})

describe('approvals', () => {
  test('the call waits inside the time it has, and goes on with the answer', async () => {
    const host = await startHost({ policy: asking })
    const asked: string[] = []
    const answer = host.desk.perform(callOf(), { ...SOON, onAsked: ({ approval }) => void asked.push(approval) })
    await vi.waitFor(() => expect(asked).toHaveLength(1))
    await approve(host, asked[0] ?? '')
    expect(await answer).toMatchObject({ kind: 'done' })
  })

  test('later than that it is pending; the same action under another name takes it up', async () => {
    const host = await startHost({ policy: asking })
    const pending = await host.desk.perform(callOf(), { waitMs: 20 })
    if (pending.kind !== 'pending') throw new Error(pending.kind)
    expect(await host.desk.perform(callOf(), { waitMs: 20 })).toMatchObject({ kind: 'pending', run: pending.run })
    await approve(host, pending.approval)
    expect(host.connector).toMatchObject({ done: [] }) // nobody waits: nothing starts
    expect(await host.desk.perform(callOf(), SOON)).toMatchObject({ kind: 'done', run: pending.run })
    expect(host.connector).toMatchObject({ done: ['desk.set 0'] })
    const anew = await host.desk.perform(callOf(), { waitMs: 20 })
    expect(anew).toMatchObject({ kind: 'pending' }) // an approval serves once
    expect('run' in anew && anew.run).not.toBe(pending.run)
  })

  test('it survives a restart of both sides', async () => {
    const disk = createDisk()
    const before = await startHost({ policy: asking, journal: createMemoryJournal(disk) })
    const pending = await before.desk.perform(callOf(), { waitMs: 20 })
    if (pending.kind !== 'pending') throw new Error(pending.kind)
    const after = await startHost({ policy: asking, journal: createMemoryJournal(disk) })
    await approve(after, pending.approval)
    expect(await after.desk.perform(callOf({ session: 'other' }), { waitMs: 20 })).toMatchObject({ kind: 'pending' })
    expect(await after.desk.perform(callOf(), SOON)).toMatchObject({ kind: 'done', run: pending.run })
  })

  test('a no is told to whoever asks again, once', async () => {
    const host = await startHost({ policy: asking })
    const pending = await host.desk.perform(callOf(), { waitMs: 20 })
    if (pending.kind !== 'pending') throw new Error(pending.kind)
    await approve(host, pending.approval, 'refuse')
    expect(await host.desk.perform(callOf(), SOON)).toMatchObject({ kind: 'denied', failure: 'approval_refused' })
    expect(await host.desk.perform(callOf(), { waitMs: 20 })).toMatchObject({ kind: 'pending' })
  })
})

describe('what the host does itself', () => {
  const call = { operation: 'shell.run', arguments: { command: 'ls' }, by: 'host' } as const

  test('is permitted with the arguments that were decided, and recorded with what the host tells', async () => {
    const host = await startHost()
    const permit = await host.desk.call(callOf({ ...call, call: 'x' }), SOON)
    expect(permit).toMatchObject({ kind: 'permit', arguments: { command: 'ls' } })
    const run = 'run' in permit ? permit.run : ''
    expect(host.desk.report({ host: 'claw', session: 's1', call: 'x', ok: true, output: 'a b c' })).toBe(true)
    await vi.waitFor(async () => expect((await host.tidegate.run(run))?.final).toBe('completed'))
    expect((await host.tidegate.run(run))?.actions[0]?.output).toEqual({ reported: true, output: 'a b c' })
  })

  test('a host that tells nothing leaves it open what came of it', async () => {
    const host = await startHost()
    const permit = await host.desk.call(callOf(call), SOON)
    const run = 'run' in permit ? permit.run : ''
    await vi.waitFor(async () => expect((await host.tidegate.run(run))?.final).toBe('completed'), { timeout: 3_000 })
    expect((await host.tidegate.run(run))?.actions[0]).toMatchObject({
      output: { reported: false },
      outcome: { complete: false },
    })
  })

  test('in observe mode everything goes on, and the record says what would have been', async () => {
    const host = await startHost({ policy: denying, host: { mode: 'observe' } })
    const permit = await host.desk.call(callOf(call), SOON)
    expect(permit).toMatchObject({ kind: 'permit', would: { outcome: 'deny', reasons: ['never (no)'] } })
    const state = await host.tidegate.run('run' in permit ? permit.run : '')
    expect(state?.actions[0]?.decision).toMatchObject({ outcome: 'allow', would: 'deny', policies: [{ id: 'no' }] })
    expect(host.desk.hosts()).toMatchObject([{ calls: 1, denied: 0, wouldHave: 1 }])
  })
})

describe('tickets', () => {
  const tickets = { host: { tickets: true } }

  test('a ticket is good once, for the same arguments', async () => {
    const host = await startHost(tickets)
    const ticket = await host.desk.call(callOf(), SOON)
    if (ticket.kind !== 'ticket') throw new Error(ticket.kind)
    expect(host.connector).toMatchObject({ done: [] })
    const { by: _, ...redeemed } = { ...callOf({ session: 'mcp' }), ticket: ticket.ticket }
    expect(await host.desk.perform(redeemed, SOON)).toMatchObject({ kind: 'done', run: ticket.run })
    expect(await host.desk.perform({ ...redeemed, call: 'other' }, SOON)).toMatchObject({ kind: 'denied' })
    expect(host.connector).toMatchObject({ done: ['desk.set 0'] })
  })

  test.each([
    ['without a ticket', (_: string) => ({})],
    ['with one that nobody issued', (_: string) => ({ ticket: `tgt1.${'0'.repeat(64)}` })],
    ['with one for other arguments', (ticket: string) => ({ ticket, arguments: { id: 'r2' } })],
  ])('%s it is denied, and recorded', async (_, change) => {
    const host = await startHost(tickets)
    const ticket = await host.desk.call(callOf(), SOON)
    if (ticket.kind !== 'ticket') throw new Error(ticket.kind)
    const answer = await host.desk.perform({ ...callOf(), ...change(ticket.ticket) }, SOON)
    expect(answer).toMatchObject({ kind: 'denied', failure: 'policy_denial' })
    expect(host.connector).toMatchObject({ done: [] })
    expect(host.desk.hosts()).toMatchObject([{ withoutTicket: 1 }])
    expect(await host.tidegate.run('run' in answer ? answer.run : '')).toMatchObject({ failure: 'policy_denial' })
  })

  test('a stop after the ticket was given holds', async () => {
    const host = await startHost(tickets)
    const ticket = await host.desk.call(callOf(), SOON)
    if (ticket.kind !== 'ticket') throw new Error(ticket.kind)
    await host.tidegate.stop({ person: OPS, scope: 'global', mode: 'kill', why: 'wrong' })
    expect(await host.desk.perform({ ...callOf(), ticket: ticket.ticket }, SOON)).toMatchObject({ kind: 'stopped' })
    expect(host.connector).toMatchObject({ done: [] })
  })
})

test('whoever leaves before the answer finds it when they come back', async () => {
  let finish: () => void = () => {}
  const slow = createWorld()
  const connector: Connector = {
    ...slow,
    execute: async (call) => {
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      return slow.execute(call)
    },
  }
  const host = await startHost({ connector })
  const leaving = new AbortController()
  const first = host.desk.perform(callOf(), { ...SOON, signal: leaving.signal })
  await vi.waitFor(() => expect(host.tidegate.runs({ limit: 1 })).resolves.toHaveLength(1))
  await new Promise((resolve) => setTimeout(resolve, 20))
  leaving.abort()
  expect(await first).toMatchObject({ kind: 'unknown' })
  finish()
  expect(await host.desk.perform(callOf(), SOON)).toMatchObject({ kind: 'done' })
  expect(slow.done).toEqual(['desk.set 0'])
})

test('what the agent has read in one call taints those after it, also after a restart', async () => {
  const disk = createDisk()
  const tainted: boolean[] = []
  const policy = {
    version: 'p1',
    evaluate: ({ context }: { context: { flow: { tainted: boolean } } }) => {
      tainted.push(context.flow.tainted)
      return PERMIT
    },
  }
  const before = await startHost({ journal: createMemoryJournal(disk), policy })
  await before.desk.perform(callOf({ operation: 'desk.read' }), SOON)
  await before.desk.perform(callOf(), SOON)
  await before.desk.perform(callOf({ session: 'another' }), SOON)
  expect(tainted).toEqual([false, true, false])
  const after = await startHost({ journal: createMemoryJournal(disk), policy })
  await after.desk.perform(callOf({ arguments: { id: 'r9' } }), SOON)
  expect(tainted.at(-1)).toBe(true)
})

test('the offer leaves out what policy never allows', async () => {
  const policy = policyOf((id) => (id === 'desk.set' ? DENY : PERMIT))
  const host = await startHost({ policy })
  expect(host.desk.offered('claw').map(({ id }) => id)).toEqual(['desk.read'])
  expect(host.desk.offered('nobody')).toEqual([])
})

test('the report says what would have been, by policy, and what to write so that it is quiet', async () => {
  const host = await startHost({ policy: denying, host: { mode: 'observe' } })
  for (const id of ['a', 'b', 'c']) await host.desk.perform(callOf({ arguments: { id } }), SOON)
  await host.desk.perform(callOf({ operation: 'desk.unset' }), SOON)
  const report = await host.desk.observed({})
  expect(report).toMatchObject({ calls: 4, outcomes: { allow: 0, deny: 4 }, isCut: false })
  expect(report.groups).toMatchObject([
    { policy: 'no', operation: 'desk.set', outcome: 'deny', calls: 3 },
    {
      policy: 'tidegate:not-in-workflow',
      operation: 'desk.unset',
      calls: 1,
      quiet: ['in tidegate.yaml, hosts, claw:', 'operations: [desk.unset]'],
    },
  ])
  expect(await host.desk.observed({ host: 'other' })).toMatchObject({ calls: 0 })
  expect(await host.desk.observed({ sinceMs: Date.now() + 1_000 })).toMatchObject({ calls: 0 })
})
