import type { ConnectorCall, Json } from '@tidegate/kernel'
import { describe, expect, test } from 'vitest'
import {
  createFarSide,
  createVirtualClock,
  createWorld,
  type Hazard,
  type HazardKind,
  NO_HAZARD,
  WORLD_OPERATIONS,
} from '../src/index.ts'

function callOf(operation: string, args: Json, effectId = 'r.0'): ConnectorCall {
  return { operation, arguments: args, session: 'r', effectId, attempt: 1, timeoutMs: 1_000, secret: async () => 'hush' }
}

function setUp(hazard: Partial<Hazard> = {}) {
  const clock = createVirtualClock(0)
  const farSide = createFarSide()
  const told: string[] = []
  const connector = createWorld({
    farSide,
    nowMs: clock.monotonicMs,
    after: (ms, callback) => void clock.at(clock.nowMs() + ms, callback),
    hazard: () => ({ ...NO_HAZARD, ...hazard }),
    lookHazard: () => 'none',
    lookMs: () => 0,
    watch: {
      called: ({ effectId }) => void told.push(`called ${effectId}`),
      landed: ({ effectId }) => void told.push(`landed ${effectId}`),
      looked: (_, look) => void told.push(`looked ${look}`),
      alive: () => true,
    },
  })
  return { clock, farSide, told, connector }
}

const REFUND = callOf('desk.refund', { id: 'rec-1', amount: 5 })

describe('the fake far side', () => {
  test('does what it is told as often as it is told, and a look-up says so', async () => {
    const { connector } = setUp()
    expect(await connector.reconcile(REFUND)).toEqual({ kind: 'absent' })
    await connector.execute(REFUND)
    expect(await connector.reconcile(REFUND)).toMatchObject({ kind: 'happened', output: { deed: 'deed-1' } })
    await connector.execute(REFUND)
    expect(await connector.reconcile(REFUND)).toMatchObject({ kind: 'doubled', count: 2 })
  })

  test('honours an idempotency key where it says so', async () => {
    const { connector, farSide, told } = setUp()
    const send = callOf('mail.send', { id: 'rec-1', text: 'hello' })
    expect(await connector.execute(send)).toEqual(await connector.execute(send))
    expect([farSide.deeds.length, told.filter((line) => line.startsWith('landed')).length]).toEqual([1, 1])
  })

  test('takes a deed back once', async () => {
    const { connector, farSide } = setUp()
    await connector.execute(REFUND)
    expect(farSide.read('rec-1')).toMatchObject({ 'desk-refund': true })
    await connector.execute(callOf('desk.cancel', { deed: 'deed-1' }, 'r.1'))
    expect(farSide.read('rec-1')).not.toHaveProperty('desk-refund')
    expect(await connector.execute(callOf('desk.cancel', { deed: 'deed-1' }, 'r.2'))).toMatchObject({
      retry: 'never',
      code: 'gone',
    })
  })
})

describe('a hazard', () => {
  test.each<[HazardKind, boolean, number, object]>([
    ['busy', true, 0, { kind: 'failed', retry: 'safe' }],
    ['refused', true, 0, { kind: 'failed', retry: 'never' }],
    ['broken', true, 1, { kind: 'failed', retry: 'unknown' }],
    ['broken', false, 0, { kind: 'failed', retry: 'unknown' }],
    ['incomplete', true, 1, { kind: 'done', complete: false }],
    ['malformed', true, 1, { kind: 'done', output: ['not', 'as', 'declared'] }],
  ])('%s (applied: %s) leaves %i deeds', async (kind, applied, deeds, answer) => {
    const { connector, farSide } = setUp({ kind, applied })
    expect(await connector.execute(REFUND)).toMatchObject(answer)
    expect(farSide.deeds).toHaveLength(deeds)
  })

  test('an effect that is late lands, though nobody hears of it', async () => {
    const { connector, farSide, clock, told } = setUp({ kind: 'late', landsMs: 900 })
    let isHeard = false
    connector.execute(REFUND).then(
      () => (isHeard = true),
      () => (isHeard = true),
    )
    await new Promise((resolve) => setImmediate(resolve))
    clock.advanceTo(899)
    expect(farSide.deeds).toHaveLength(0)
    clock.advanceTo(901)
    await new Promise((resolve) => setImmediate(resolve))
    expect([farSide.deeds.length, isHeard, told]).toEqual([1, false, ['called r.0', 'landed r.0']])
  })
})

test('the normal form of every operation is normal: parsing it again changes nothing', () => {
  const sloppy = { id: ' rec-1 ', deed: ' deed-1 ', amount: 1, text: ' hi ', value: ' done ', more: [1] }
  for (const { input, id } of WORLD_OPERATIONS) {
    const once = input.parse(sloppy)
    if (!once.ok) throw new Error(id)
    expect(once.value).not.toEqual(sloppy)
    expect(input.parse(once.value)).toEqual(once)
  }
})
