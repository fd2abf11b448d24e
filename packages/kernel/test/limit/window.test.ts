import fc from 'fast-check'
import { table } from '@tidegate/testkit'
import { describe, expect, test } from 'vitest'
import {
  addAmount,
  createCell,
  dropBefore,
  resolutionMs,
  sumSince,
  takeAmount,
  WINDOW_SLOTS,
  windowRule,
} from '../../src/limit/window.ts'

const DAY = 86_400_000
const noCalendar = (): number => 0
const sliding = (ms: number) => windowRule({ window: { kind: 'sliding', ms }, anomaly: null }, noCalendar)

const resolutions = table(`
  window   | resolution | why
  1        | 1          | never finer than the clock
  4096     | 1          | exact to the millisecond
  60000    | 15         | a minute in 4,096 parts
  86400000 | 21094      | a day: 21 seconds
`)

describe('a window', () => {
  test.each(resolutions)('of $window ms is cut into $resolution ms: $why', ({ window, resolution }) => {
    expect(resolutionMs(Number(window))).toBe(Number(resolution))
  })

  test('counts at t what happened after t - window, and not what happened at it', () => {
    const rule = sliding(1_000)
    const cell = createCell()
    addAmount(cell, rule.slotOf(5_000), 7)
    expect([5_000, 5_999, 6_000].map((at) => sumSince(cell, rule.firstSlot(at)))).toEqual([7, 7, 0])
  })

  type Deed = { readonly kind: 'add' | 'read' | 'drop' | 'take'; readonly afterMs: number; readonly amount: number }
  const deeds = fc.array(
    fc.record({
      kind: fc.constantFrom<Deed['kind'][]>('add', 'add', 'read', 'drop', 'take'),
      afterMs: fc.oneof(fc.nat(3), fc.nat(2_000), fc.nat(200_000)),
      amount: fc.integer({ min: 1, max: 1_000 }),
    }),
    { maxLength: 80 },
  )

  test('law: equals a list of everything that happened, and is never looser than the exact window', () => {
    fc.assert(
      fc.property(fc.constantFrom(10, 1_000, 60_000, 500_000), deeds, (windowMs, steps) => {
        const rule = sliding(windowMs)
        const cut = resolutionMs(windowMs)
        const cell = createCell()
        const list: { atMs: number; amount: number }[] = []
        let atMs = 1_000_000
        for (const { kind, afterMs, amount } of steps) {
          if (kind === 'read') {
            const nowMs = atMs + afterMs // a clock that is ahead of the journal
            const exact = sumOf(list.filter((one) => one.atMs > nowMs - windowMs))
            const coarse = sumOf(list.filter((one) => (Math.floor(one.atMs / cut) + 1) * cut - 1 > nowMs - windowMs))
            const value = sumSince(cell, rule.firstSlot(nowMs))
            expect(value).toBe(coarse)
            expect(value).toBeGreaterThanOrEqual(exact)
            continue
          }
          atMs += afterMs
          if (kind === 'add') {
            list.push({ atMs, amount })
            addAmount(cell, rule.slotOf(atMs), amount)
          } else if (kind === 'drop') dropBefore(cell, rule.firstSlot(atMs))
          else {
            const [taken] = list.splice(amount % Math.max(1, list.length), 1)
            if (taken !== undefined) takeAmount(cell, rule.slotOf(taken.atMs), taken.amount)
          }
        }
        expect(sumSince(cell, rule.firstSlot(atMs))).toBe(
          sumOf(list.filter((one) => (Math.floor(one.atMs / cut) + 1) * cut - 1 > atMs - windowMs)),
        )
      }),
    )
  })

  test('law: the order of increments does not matter, also when some come late', () => {
    const increments = fc.array(fc.record({ slot: fc.nat(40), amount: fc.integer({ min: 1, max: 9 }) }), { maxLength: 40 })
    fc.assert(
      fc.property(increments, fc.nat(45), (list, first) => {
        const [inOrder, asTheyCame] = [createCell(), createCell()]
        for (const { slot, amount } of list.toSorted((a, b) => a.slot - b.slot)) addAmount(inOrder, slot, amount)
        for (const { slot, amount } of list) addAmount(asTheyCame, slot, amount)
        expect([asTheyCame.slots, asTheyCame.amounts]).toEqual([inOrder.slots, inOrder.amounts])
        expect(sumSince(asTheyCame, first)).toBe(sumSince(inOrder, first))
      }),
    )
  })

  test('keeps no more than one slot per part of the window, however much happens', () => {
    const rule = sliding(DAY)
    const cell = createCell()
    for (let atMs = 0; atMs < 3 * DAY; atMs += 5_000) {
      addAmount(cell, rule.slotOf(atMs), 1)
      dropBefore(cell, rule.firstSlot(atMs))
    }
    expect(cell.slots.length - cell.head).toBeLessThanOrEqual(WINDOW_SLOTS + 2)
    expect(cell.slots.length).toBeLessThanOrEqual(2 * (WINDOW_SLOTS + 2))
    expect(cell.sum).toBe(cell.amounts.slice(cell.head).reduce((sum, amount) => sum + amount, 0))
  })

  test('sums beyond 2^53 come back to the exact value when the excess has left', () => {
    const cell = createCell()
    addAmount(cell, 1, Number.MAX_SAFE_INTEGER)
    addAmount(cell, 1, 3)
    addAmount(cell, 2, 5)
    dropBefore(cell, 2)
    expect(cell.sum).toBe(5)
  })
})

function sumOf(list: readonly { readonly amount: number }[]): number {
  return list.reduce((sum, { amount }) => sum + amount, 0)
}
