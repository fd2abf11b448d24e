import type { Connector, ConnectorResult } from '@tidegate/kernel'
import { createVirtualClock } from '@tidegate/testkit'
import { expect, test } from 'vitest'
import { createWorld, READ, SET, startDesk, UNDO } from './bench-desk.ts'

const LOST: ConnectorResult = { kind: 'failed', failure: 'unavailable', retry: 'unknown', message: 'the connection broke' }
const SETTLE_MS = 4_000

test('an effect whose outcome is not known is looked for after its settling time, and not after twice that', async () => {
  const clock = createVirtualClock()
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  const looks: number[] = []
  const connector: Connector = {
    ...createWorld(),
    execute: async ({ operation }) => (operation === SET.id ? LOST : { kind: 'done', output: { ok: true }, complete: true }),
    async reconcile() {
      looks.push(clock.nowMs() - startedAtMs)
      return { kind: 'happened', output: {} }
    },
  }
  const startedAtMs = clock.nowMs()
  const desk = await startDesk({ clock, connector, operations: [READ, { ...SET, settleMs: SETTLE_MS }, UNDO] })
  const run = await desk.trigger('e1')
  for (let step = 0; step < 100; step++) {
    for (let turn = 0; turn < 10; turn++) await settle()
    clock.advanceTo(startedAtMs + step * 100)
  }
  expect(looks).toHaveLength(1)
  expect([(looks[0] ?? 0) >= SETTLE_MS, (looks[0] ?? 0) <= SETTLE_MS + 500]).toEqual([true, true])
  expect(await desk.tidegate.run(run)).toMatchObject({ final: 'completed' })
  await desk.tidegate.close()
})
