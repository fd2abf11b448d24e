import { describe, expect, test } from 'vitest'
import { asking, BOB, MEI, openRun, pinned } from './declassify-run.ts'
import { farSide, OPERATIONS, type Wanted } from './label-run.ts'

const A = { to: 'ann@our.example', text: 'one' }
const B = { to: 'bea@our.example', text: 'two' }
const STRANGER = { to: 'eve@evil.example', text: 'three' }
const SEND: Wanted = { operation: 'desk.send', arguments: A }
const MOVE: Wanted = { operation: 'desk.move', arguments: B }
const GRANTS = [pinned('desk.send', A), pinned('desk.move', B), { ...pinned('desk.mail', {}), arguments: {} }]
const plan = (grants = GRANTS) => ({ kind: 'grant', grants }) as const
const WHOLE = { approvals: { plan: 'whole', endorsers: [] } } as const
const WRITES = asking({ write: ({ mutability }) => mutability !== 'read' })

/** A far side during whose first write something happens. */
function whenFirstWritten(happen: () => void) {
  const side = farSide()
  let writes = 0
  const execute: typeof side.execute = async (call) => {
    if (!call.operation.endsWith('read') && writes++ === 0) happen()
    return side.execute(call)
  }
  return { ...side, execute }
}

const started = async (run: Awaited<ReturnType<typeof openRun>>) =>
  (await run.events()).flatMap((event) => (event.type === 'effect.started' ? [[event.action, event.approval]] : []))

describe('a plan that is approved as a whole', () => {
  test('is one question, and covers each of its calls once', async () => {
    const run = await openRun({ steps: [plan(), SEND, MOVE, MOVE], policy: WRITES, changes: WHOLE })
    const { approval, plan: shown } = await run.asked()
    expect(shown?.calls).toMatchObject([{ operation: 'desk.move', arguments: B, policies: ['write'], usedBy: null }])
    expect(await run.approve('plan')).toMatchObject({ kind: 'counted', state: 'granted' })
    const again = await run.asked() // the same call a second time
    expect(again.approval.question.action).toBe(2)
    expect(again.plan).toBeNull()
    expect((await run.tidegate.approval(approval.question.id))?.plan).toMatchObject({ isApproved: true, calls: [{ usedBy: 1 }] })
    await run.approve()
    const { final, actions } = await run.state()
    const { id } = approval.question
    expect([final, actions[1]?.decision?.facts?.approvals]).toEqual(['completed', ['write']])
    expect((await started(run)).slice(0, 3)).toEqual([
      [0, id],
      [1, id],
      [2, again.approval.question.id],
    ])
  })

  test('is told in the ledger by digests; what its calls say is sealed', async () => {
    const run = await openRun({ steps: [plan(), SEND, MOVE], policy: WRITES, changes: WHOLE })
    await run.asked()
    const opened = (await run.events()).find(({ type }) => type === 'approval.opened')
    expect(opened).toMatchObject({
      question: { plan: { calls: [{ operation: 'desk.move' }] } },
      sealed: { plan: [{ arguments: B }] },
    })
    expect(JSON.stringify({ ...opened, sealed: null })).not.toContain('bea')
  })

  test('covers nothing for a yes to the one action (I5)', async () => {
    const run = await openRun({ steps: [plan(), SEND, MOVE], policy: WRITES, changes: WHOLE })
    await run.approve('action')
    expect((await run.asked()).operation).toBe('desk.move')
  })

  test('needs its own quorum: one of two who says yes to the plan covers only the action', async () => {
    const policy = asking({ write: ({ mutability }) => mutability !== 'read' }, { count: 2 })
    const run = await openRun({ steps: [plan(), SEND, MOVE], policy, changes: WHOLE })
    await run.approve('plan', MEI)
    expect(await run.approve('action', BOB)).toMatchObject({ state: 'granted' })
    expect((await run.asked()).operation).toBe('desk.move')
  })

  test('leaves a call that says something else to be asked', async () => {
    const other = { operation: 'desk.move', arguments: { ...B, text: 'else' } }
    const open = { ...pinned('desk.move', { to: B.to }), id: 'open' }
    const run = await openRun({ steps: [plan([...GRANTS, open]), SEND, other], policy: WRITES, changes: WHOLE })
    await run.approve('plan')
    expect(await run.asked()).toMatchObject({ operation: 'desk.move', arguments: { text: 'else' } })
  })

  test('is not offered where the workflow does not say so, nor for an action outside of the plan', async () => {
    const each = await openRun({ steps: [plan(), SEND, MOVE], policy: WRITES })
    expect((await each.asked()).plan).toBeNull()
    const outside = { operation: 'desk.send', arguments: { ...A, text: 'else' } }
    const run = await openRun({ steps: [plan(), outside, MOVE], policy: WRITES, changes: WHOLE })
    expect((await run.asked()).plan).toBeNull()
  })

  test('holds no call that other people must answer for', async () => {
    const policy = asking({ write: ({ mutability }) => mutability !== 'read' })
    const evaluate: typeof policy.evaluate = (request) => {
      const verdict = policy.evaluate(request)
      if (verdict.kind !== 'forbidden' || request.operation !== 'desk.move') return verdict
      return { ...verdict, forbids: verdict.forbids.map((each) => ({ ...each, approvers: [{ role: 'security', count: 1 }] })) }
    }
    const run = await openRun({ steps: [plan(), SEND, MOVE], policy: { ...policy, evaluate }, changes: WHOLE })
    expect((await run.asked()).plan).toBeNull()
  })
})

describe('what has changed since is asked', () => {
  test('another policy', async () => {
    const policy = asking({ write: ({ mutability }) => mutability !== 'read' })
    const connector = whenFirstWritten(() => {
      policy.version = 'p2'
    })
    const run = await openRun({ steps: [plan(), SEND, MOVE], policy, changes: WHOLE, connector })
    await run.approve('plan')
    expect((await run.asked()).operation).toBe('desk.move')
  })

  test('another preview', async () => {
    let balance = 100
    const side = whenFirstWritten(() => {
      balance = 0
    })
    const connector = { ...side, preview: async () => ({ kind: 'done', output: { balance }, complete: true }) as const }
    const operations = OPERATIONS.map((each) => (each.id === 'desk.move' ? { ...each, canPreview: true } : each))
    const run = await openRun({ steps: [plan(), SEND, MOVE], policy: WRITES, changes: WHOLE, connector, operations })
    expect((await run.asked()).plan?.calls).toMatchObject([{ preview: { balance: 100 } }])
    await run.approve('plan')
    expect(await run.asked()).toMatchObject({ operation: 'desk.move', preview: { balance: 0 } })
  })

  test('the deadline has passed (I5)', async () => {
    const late: (() => void)[] = []
    const connector = whenFirstWritten(() => {
      for (const pass of late) pass()
    })
    const run = await openRun({ steps: [plan(), SEND, MOVE], policy: WRITES, changes: WHOLE, connector })
    late.push(() => run.wait(61_000))
    await run.approve('plan')
    expect((await run.asked()).operation).toBe('desk.move')
  })

  test('something else speaks against it now: then it is asked whole', async () => {
    const MAIL: Wanted = { operation: 'desk.mail' }
    const rules = {
      write: ({ mutability }: { mutability: string }) => mutability !== 'read',
      words: ({ flow }: { flow: { tainted: boolean; text: string } }) => flow.tainted && flow.text === 'prose',
    }
    const run = await openRun({ steps: [plan(), SEND, MAIL, MOVE], policy: asking(rules), changes: WHOLE })
    await run.approve('plan')
    expect((await run.asked()).approval.question.policies).toEqual(['words', 'write'])
    await run.approve()
    const { final, approvals } = await run.state()
    expect([final, [...approvals.values()].map(({ state }) => state)]).toEqual(['completed', ['consumed', 'consumed']])
  })
})

test('a planned call may name its own target, whatever was read meanwhile; another call to the same target may not', async () => {
  const rules = {
    write: ({ mutability }: { mutability: string }) => mutability !== 'read',
    target: ({ flow }: { flow: { tainted: boolean; sinks: string } }) => flow.tainted && flow.sinks === 'unknown',
  }
  const planned = pinned('desk.move', STRANGER)
  const open = { ...pinned('desk.move', {}), id: 'open', arguments: {} }
  const steps = (text: string) => [
    plan([...GRANTS, planned, open]),
    SEND,
    { operation: 'desk.mail' },
    { operation: 'desk.move', arguments: { ...STRANGER, text } },
  ]
  const same = await openRun({ steps: steps('three'), policy: asking(rules), changes: WHOLE })
  await same.approve('plan')
  expect((await same.state()).final).toBe('completed')
  const other = await openRun({ steps: steps('four'), policy: asking(rules), changes: WHOLE })
  await other.approve('plan')
  expect((await other.asked()).approval.question.policies).toEqual(['target', 'write'])
})
