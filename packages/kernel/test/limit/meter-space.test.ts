import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createMeterSpace } from '../../src/limit/meter-space.ts'
import { addAmount, sumSince } from '../../src/limit/window.ts'

describe('the keys of a meter', () => {
  test('beyond the most share one count, which is strict for each of them', () => {
    const space = createMeterSpace(1_000, 2)
    for (const key of ['a', 'b', 'c', 'd']) addAmount(space.open(key), 0, 1)
    expect(['a', 'b', 'c', 'd', 'never seen'].map((key) => space.find(key)?.sum)).toEqual([1, 1, 2, 2, 2])
  })

  test('are forgotten when nothing of theirs can count any more, and not before', () => {
    const space = createMeterSpace(100)
    const none = () => []
    const keys = () => [...space.entries()].map(([key]) => key)
    space.turn(0, none)
    space.open('a')
    space.turn(100, none)
    expect(keys()).toEqual(['a'])
    space.open('b')
    space.turn(199, none)
    expect(keys()).toEqual(['a', 'b'])
    space.turn(200, none)
    expect(keys()).toEqual(['b'])
    space.turn(9_000, none)
    expect(keys()).toEqual([])
  })

  test('law: whatever is still in the window is still there', () => {
    const lifeMs = 50
    const steps = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), afterMs: fc.nat(70) }), { maxLength: 60 })
    fc.assert(
      fc.property(steps, (list) => {
        const space = createMeterSpace(lifeMs)
        const known: { key: string; atMs: number }[] = []
        let atMs = 0
        for (const { key, afterMs } of list) {
          atMs += afterMs
          space.turn(atMs, () => [])
          addAmount(space.open(key), atMs, 1)
          known.push({ key, atMs })
          for (const name of ['a', 'b', 'c']) {
            const counts = known.filter((one) => one.key === name && one.atMs > atMs - lifeMs).length
            const cell = space.find(name)
            expect(cell === undefined ? 0 : sumSince(cell, atMs - lifeMs + 1)).toBe(counts)
          }
        }
      }),
    )
  })
})
