import type { Connector, ConnectorCall } from '@tidegate/kernel'
import { expect, test } from 'vitest'
import { createWorld, listPlanner, OPS, operation, PERMIT, policyOf, READ, startDesk, UNDO } from './bench-desk.ts'

/** A stop that comes after a step was chosen and before it asks for its secret: what a look needs is not taken back. */
type Look = 'verify' | 'reconcile' | 'preview' | 'execute'

const SECRETS = { secrets: ['token'] }
const SET = operation('desk.set', {
  ...SECRETS,
  maxAttempts: 1,
  compensation: ({ arguments: args }) => ({ operation: 'desk.unset', arguments: args }),
})
const OPERATIONS = [READ, { ...SET, canPreview: true }, operation('desk.send', SECRETS), operation(UNDO.id, SECRETS)]

/** A Tidegate that is stopped, once, by the very call that is looked at. */
async function stoppedDuring(look: Look, connector: Partial<Connector>, ids: readonly string[]) {
  const world = createWorld()
  let stops = 0
  const stopFirst = async (at: Look, call: ConnectorCall, id: string): Promise<void> => {
    if (at === look && call.operation === id && stops++ === 0)
      await desk.tidegate.stop({ person: OPS, scope: 'global', mode: 'hold', why: 'test' })
    if (call.operation !== READ.id) await call.secret('token')
  }
  const subject: Connector = {
    ...world,
    async execute(call) {
      try {
        await stopFirst('execute', call, 'desk.set')
      } catch {
        return { kind: 'failed', failure: 'unavailable', retry: 'safe', message: 'no secret, nothing was sent' }
      }
      return (await connector.execute?.(call)) ?? world.execute(call)
    },
    async preview(call) {
      await stopFirst('preview', call, 'desk.set')
      return world.preview(call)
    },
    async reconcile(call) {
      await stopFirst('reconcile', call, 'desk.set')
      return { kind: 'happened', output: { ok: true } }
    },
    async verify(call, output) {
      await stopFirst('verify', call, UNDO.id)
      return world.verify(call, output)
    },
  }
  const policy = policyOf((id, approvals) => {
    const ask = { id: 'ask', reason: 'high', outcome: 'ask', approvers: [{ role: 'billing-lead', count: 1 }] } as const
    return look === 'preview' && id === 'desk.set' && !approvals.includes('ask') ? { kind: 'forbidden', forbids: [ask] } : PERMIT
  })
  const desk = await startDesk({ connector: subject, operations: OPERATIONS, policy, planner: listPlanner(ids) })
  const run = await desk.trigger('e1')
  await desk.tidegate.harness.idle()
  await desk.tidegate.lift({ person: OPS, scope: 'global', why: 'test' })
  await expect.poll(async () => (await desk.tidegate.settled(run, 500))?.state).not.toMatch(/running|undoing/)
  const head = await desk.tidegate.settled(run, 0)
  const state = await desk.tidegate.run(run)
  await desk.tidegate.close()
  return { head, state, done: world.done, stops }
}

test('a compensation is verified, and the run is undone', async () => {
  const bounce: Connector['execute'] = async (call) =>
    call.operation === 'desk.send'
      ? { kind: 'failed', failure: 'semantic', retry: 'never', message: 'bounced' }
      : createWorld().execute(call)
  const { head, stops } = await stoppedDuring('verify', { execute: bounce }, ['desk.set', 'desk.send'])
  expect([stops, head?.state, head?.openItems]).toEqual([1, 'undone', 1])
})

test('an unknown outcome is looked for', async () => {
  const lost: Connector['execute'] = async (call) =>
    call.operation === 'desk.set'
      ? { kind: 'failed', failure: 'timeout', retry: 'unknown', message: 'silence' }
      : createWorld().execute(call)
  const { head, state, stops } = await stoppedDuring('reconcile', { execute: lost }, ['desk.set'])
  expect([stops, head?.state, state?.actions[0]?.found, state?.actions[0]?.looks]).toEqual([1, 'completed', 'happened', 1])
})

test('people are still asked', async () => {
  const { head, stops } = await stoppedDuring('preview', {}, ['desk.set'])
  expect([stops > 0, head?.state]).toEqual([true, 'waiting'])
})

test('an effect whose secret was taken back is tried again after the stop, although it has one attempt', async () => {
  const { head, done, state } = await stoppedDuring('execute', {}, ['desk.set'])
  expect([head?.state, done, state?.actions[0]?.attempts]).toEqual(['completed', ['desk.set 0'], 2])
})
