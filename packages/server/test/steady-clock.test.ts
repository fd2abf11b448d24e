import { expect, test } from 'vitest'
import { createSteadyClock } from '../src/steady-clock.ts'

/** A machine whose clock can be set. */
function createMachine() {
  let nowMs = 1_000_000
  let monotonicMs = 50
  return {
    nowMs: () => nowMs,
    monotonicMs: () => monotonicMs,
    pass(ms: number) {
      nowMs += ms
      monotonicMs += ms
    },
    jump(ms: number) {
      nowMs += ms
    },
  }
}

test('follows the machine forward, and goes on when the machine is set back', () => {
  const machine = createMachine()
  const clock = createSteadyClock(machine)
  machine.pass(10)
  expect(clock.nowMs()).toBe(1_000_010)
  machine.jump(-3_600_000)
  expect(clock.nowMs()).toBe(1_000_010)
  machine.pass(250)
  expect(clock.nowMs()).toBe(1_000_260)
  machine.jump(3_600_000)
  machine.pass(40)
  expect(clock.nowMs()).toBe(1_000_300)
  machine.jump(5_000)
  expect(clock.nowMs()).toBe(1_005_300)
})

test('starts no earlier than the journal that it serves', () => {
  const machine = createMachine()
  const clock = createSteadyClock(machine)
  clock.notBefore(2_000_000)
  machine.pass(30)
  expect(clock.nowMs()).toBe(2_000_030)
  clock.notBefore(5)
  expect(clock.nowMs()).toBe(2_000_030)
})

test('a timer is due in its time, though the machine was set back meanwhile, and can be cancelled', async () => {
  const startedAtMs = performance.now()
  let behindMs = 0
  const clock = createSteadyClock({ nowMs: () => Date.now() - behindMs, monotonicMs: () => performance.now() })
  let cancelled = true
  const cancel = clock.at(clock.nowMs() + 20, () => {
    cancelled = false
  })
  cancel()
  const due = new Promise<void>((resolve) => void clock.at(clock.nowMs() + 60, resolve))
  behindMs = 3_600_000
  await due
  const waitedMs = performance.now() - startedAtMs
  expect([waitedMs >= 55, waitedMs < 3_000, cancelled]).toEqual([true, true, true])
})
