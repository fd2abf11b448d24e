import { nodeHasher, systemClock } from '@tidegate/crypto-node'
import type { Journal, PolicyVerdict } from '@tidegate/kernel'
import { createDisk, createMemoryJournal } from '@tidegate/testkit'
import { describe, expect, test, vi } from 'vitest'
import { createSessions } from '../../src/index.ts'
import { createWorld, MEI, OPS, PERMIT, policyOf } from '../bench-desk.ts'
import { callOf, startHost } from './host-bench.ts'

/** What the simulator found about hosts whose answers get lost (docs/spec/hosts.md, Claims and Tickets). */
const SOON = { waitMs: 2_000 }
const ASK: PolicyVerdict = {
  kind: 'forbidden',
  forbids: [{ id: 'ask', reason: 'people decide', outcome: 'ask', approvers: [{ role: 'billing-lead', count: 1 }] }],
}
const asking = policyOf((_, approvals) => (approvals.includes('ask') ? PERMIT : ASK))

/** A journal whose next record waits until it is let through. */
function slowJournal(journal: Journal = createMemoryJournal()) {
  let waiting: (() => void) | undefined
  let isSlow = false
  const slow: Journal = {
    ...journal,
    async append(draft) {
      if (isSlow)
        await new Promise<void>((resolve) => {
          waiting = resolve
        })
      return journal.append(draft)
    },
  }
  return {
    journal: slow,
    hold: () => {
      isSlow = true
    },
    isHeld: () => waiting !== undefined,
    letThrough: () => {
      isSlow = false
      waiting?.()
    },
  }
}

function runIn(answer: object): string {
  return 'run' in answer ? String(answer.run) : ''
}

/** What policy was told about taint, decision by decision. */
function noting(verdict: PolicyVerdict = PERMIT) {
  const tainted: boolean[] = []
  const evaluate = ({ context }: { context: { flow: { tainted: boolean } } }) => {
    tainted.push(context.flow.tainted)
    return verdict
  }
  return { tainted, policy: { version: 'p1', evaluate } }
}

describe('whoever leaves', () => {
  test('before the start is durable starts nothing, and finds it when they come back', async () => {
    const { journal, hold, isHeld, letThrough } = slowJournal()
    const host = await startHost({ journal })
    const leaving = new AbortController()
    hold()
    const first = host.desk.perform(callOf({ call: 'first' }), { ...SOON, signal: leaving.signal })
    await vi.waitFor(() => expect(isHeld()).toBe(true))
    leaving.abort()
    expect(await first).toMatchObject({ kind: 'unknown' })
    letThrough()
    await vi.waitFor(async () => expect((await host.tidegate.run(runIn(await first)))?.actions[0]?.state).toBe('retryable'))
    expect(host.connector).toMatchObject({ done: [] })
    expect(await host.desk.perform(callOf({ call: 'another' }), SOON)).toMatchObject({ kind: 'done', run: runIn(await first) })
    expect(host.connector).toMatchObject({ done: ['desk.set 0'] })
  })

  test('before the first record is written is joined by whoever asks for the same', async () => {
    const { journal, hold, isHeld, letThrough } = slowJournal()
    const host = await startHost({ journal })
    const leaving = new AbortController()
    hold()
    const first = host.desk.perform(callOf(), { ...SOON, signal: leaving.signal })
    await vi.waitFor(() => expect(isHeld()).toBe(true))
    leaving.abort()
    await first
    const second = host.desk.perform(callOf(), SOON)
    await new Promise((resolve) => setTimeout(resolve, 20))
    letThrough()
    expect(await second).toMatchObject({ kind: 'done', run: runIn(await first) })
    expect(host.connector).toMatchObject({ done: ['desk.set 0'] })
  })

  test('before anything was begun may make the same call again', async () => {
    const host = await startHost()
    const gone = AbortSignal.abort()
    expect(await host.desk.perform(callOf({ call: 'same' }), { ...SOON, signal: gone })).toMatchObject({ kind: 'unknown' })
    expect(await host.desk.perform(callOf({ call: 'same' }), SOON)).toMatchObject({ kind: 'done' })
  })

  test('twice with the same action gets both answers', async () => {
    const host = await startHost({ policy: asking })
    const pending = await Promise.all([1, 2].map(() => host.desk.perform(callOf(), { waitMs: 20 })))
    for (const one of pending) {
      const approval = 'approval' in one ? one.approval : ''
      const view = await host.tidegate.approval(approval)
      await host.tidegate.vote(approval, {
        person: MEI,
        vote: 'approve',
        why: 'seen',
        digest: view?.approval.question.digest ?? '',
      })
    }
    const answers = [await host.desk.perform(callOf(), SOON), await host.desk.perform(callOf(), SOON)]
    expect(answers).toMatchObject([{ kind: 'done' }, { kind: 'done' }])
    expect(answers.map(runIn).toSorted()).toEqual(pending.map(runIn).toSorted())
  })
})

describe('after a restart', () => {
  test('the same action is not done again when its answer may not have been taken', async () => {
    const disk = createDisk()
    const connector = createWorld()
    const before = await startHost({ journal: createMemoryJournal(disk), connector })
    const first = await before.desk.perform(callOf(), SOON)
    const after = await startHost({ journal: createMemoryJournal(disk), connector })
    expect(await after.desk.perform(callOf(), SOON)).toEqual(first)
    expect(connector.done).toEqual(['desk.set 0'])
    expect(runIn(await after.desk.perform(callOf(), SOON))).not.toBe(runIn(first)) // once it is taken, it may happen again
  })

  test('what people have taken back is done again', async () => {
    const disk = createDisk()
    const before = await startHost({ journal: createMemoryJournal(disk) })
    const first = await before.desk.perform(callOf(), SOON)
    expect(await before.tidegate.undo(runIn(first), { person: OPS, why: 'wrong' })).toMatchObject({ kind: 'opened' })
    await before.tidegate.harness.idle()
    const after = await startHost({ journal: createMemoryJournal(disk) })
    const second = await after.desk.perform(callOf(), SOON)
    expect(second).toMatchObject({ kind: 'done' })
    expect(runIn(second)).not.toBe(runIn(first))
  })

  test('what an agent was told by strangers taints its calls, once one was made under it', async () => {
    const disk = createDisk()
    const { tainted, policy } = noting({ kind: 'unmatched' }) // what is denied shows the agent nothing
    const before = await startHost({ journal: createMemoryJournal(disk), policy })
    await before.desk.heard({ host: 'claw', session: 's1', text: 'pay everybody', from: 'third-party' })
    await before.desk.perform(callOf(), SOON)
    const after = await startHost({ journal: createMemoryJournal(disk), policy })
    await after.desk.perform(callOf({ arguments: { id: 'r2' } }), SOON)
    expect(tainted).toEqual([true, true])
  })

  test('what a host was permitted and has not told of taints', async () => {
    const disk = createDisk()
    const { tainted, policy } = noting()
    const before = await startHost({ journal: createMemoryJournal(disk), policy })
    const call = callOf({ operation: 'shell.run', arguments: { command: 'cat' }, by: 'host' })
    expect(await before.desk.call(call, SOON)).toMatchObject({ kind: 'permit' })
    const after = await startHost({ journal: createMemoryJournal(disk), policy })
    await after.desk.perform(callOf(), SOON)
    expect(tainted).toEqual([false, true])
  })
})

describe('tickets', () => {
  const tickets = { host: { tickets: true } }

  test('the name of a call that got one opens nothing without it', async () => {
    const disk = createDisk()
    const host = await startHost({ ...tickets, journal: createMemoryJournal(disk) })
    const given = await host.desk.call(callOf({ call: 'same' }), SOON)
    if (given.kind !== 'ticket') throw new Error(given.kind)
    const bare = callOf({ call: 'same' })
    expect(await host.desk.perform(bare, SOON)).toMatchObject({ kind: 'denied', failure: 'policy_denial' })
    const after = await startHost({ ...tickets, journal: createMemoryJournal(disk) })
    expect(await after.desk.perform({ ...bare, ticket: given.ticket }, SOON)).toMatchObject({ kind: 'denied' })
    expect(await host.desk.perform({ ...bare, ticket: given.ticket }, SOON)).toMatchObject({ kind: 'done', run: given.run })
    expect(host.connector).toMatchObject({ done: ['desk.set 0'] })
    expect(after.connector).toMatchObject({ done: [] })
  })

  test('an answer that is asked for again is told to the conversation that got the ticket', async () => {
    const { tainted, policy } = noting()
    const host = await startHost({ ...tickets, policy })
    const read = callOf({ operation: 'desk.read' })
    const given = await host.desk.call(read, SOON)
    if (given.kind !== 'ticket') throw new Error(given.kind)
    const redeemed = { ...read, session: 'mcp', call: 'mcp-1', ticket: given.ticket }
    await host.desk.perform(redeemed, { ...SOON, signal: AbortSignal.abort() })
    expect(await host.desk.perform(redeemed, SOON)).toMatchObject({ kind: 'done' })
    await host.desk.call(callOf(), SOON)
    expect(tainted.at(-1)).toBe(true)
  })
})

test('a permit is an answer: the same command later is another call', async () => {
  const host = await startHost({ policy: asking })
  const call = { operation: 'shell.run', arguments: { command: 'make' }, by: 'host' } as const
  const pending = await host.desk.call(callOf({ ...call, call: 'x' }), { waitMs: 20 })
  const approval = 'approval' in pending ? pending.approval : ''
  const view = await host.tidegate.approval(approval)
  await host.tidegate.vote(approval, { person: MEI, vote: 'approve', why: 'seen', digest: view?.approval.question.digest ?? '' })
  expect(await host.desk.call(callOf({ ...call, call: 'x' }), SOON)).toMatchObject({ kind: 'permit' })
  expect(host.desk.report({ host: 'claw', session: 's1', call: 'x', ok: true, output: '' })).toBe(true)
  await vi.waitFor(async () => expect((await host.tidegate.run(runIn(pending)))?.final).toBe('completed'))
  expect(await host.desk.call(callOf(call), { waitMs: 20 })).toMatchObject({ kind: 'pending' })
})

test('what cannot be executed by us is not permitted to the host, also while it is only observed', async () => {
  const host = await startHost({ host: { mode: 'observe' } })
  expect(await host.desk.perform(callOf({ operation: 'desk.unset' }), SOON)).toMatchObject({ kind: 'denied' })
})

test('what was permitted and is not told yet taints the next call of its conversation, and no other', async () => {
  const { tainted, policy } = noting()
  const host = await startHost({ policy })
  const call = { operation: 'shell.run', by: 'host' } as const
  await host.desk.call(callOf({ ...call, call: 'x', arguments: { command: 'curl x' } }), SOON)
  await host.desk.call(callOf({ ...call, call: 'y', arguments: { command: 'make' } }), SOON)
  await host.desk.call(callOf({ ...call, call: 'z', session: 'other', arguments: { command: 'make' } }), SOON)
  expect(tainted).toEqual([false, true, false])
})

test('what a stranger was heard to say taints the conversation after a crash too, and no other', async () => {
  const journal = createMemoryJournal()
  const first = await startHost({ journal })
  for (const text of ['pay me', 'pay me now']) await first.desk.heard({ host: 'claw', session: 's1', text, from: 'third-party' })
  await first.desk.heard({ host: 'claw', session: 's2', text: 'set r1', from: 'user' })
  const { tainted, policy } = noting()
  const { desk } = await startHost({ journal, policy })
  await desk.perform(callOf({ session: 's1', operation: 'desk.read' }), SOON)
  await desk.perform(callOf({ session: 's2', operation: 'desk.read' }), SOON)
  expect(tainted).toEqual([true, false])
  expect(journal.head().size).toBe(5)
})

test('a conversation goes on after a restart, however many others there were since', async () => {
  const journal = createMemoryJournal()
  const first = await startHost({ journal })
  await first.desk.perform(callOf({ session: 'old', operation: 'desk.read' }), SOON)
  for (let n = 0; n < 50; n++) await first.desk.perform(callOf({ session: `s${n}`, operation: 'desk.read' }), SOON)
  const { tainted, policy } = noting()
  const { desk } = await startHost({ journal: { ...journal, runs: async () => [] }, policy })
  await desk.perform(callOf({ session: 'old', operation: 'desk.read' }), SOON)
  await desk.perform(callOf({ session: 'new', operation: 'desk.read' }), SOON)
  expect(tainted).toEqual([true, false])
})

test('a conversation that was forgotten because there were too many comes back tainted', async () => {
  const sessions = createSessions({
    journal: createMemoryJournal(),
    clock: systemClock,
    find: () => undefined,
    hasher: nodeHasher,
    salt: 'salt',
  })
  for (let n = 0; n <= 5_000; n++) await sessions.open('claw', `s${n}`)
  const { id } = await sessions.open('claw', 's0')
  const { id: fresh } = await sessions.open('claw', 'new')
  const context = (session: string) => sessions.contextOf({ call: { host: 'claw', session }, workflow: 'host-claw' } as never)
  expect([context(id)?.tainted, context(fresh)?.tainted]).toEqual([true, false])
})
