import { table } from '@tidegate/testkit'
import { describe, expect, test } from 'vitest'
import { createDeviationReader, deviationOf } from '../../src/limit/baseline.ts'
import { addAmount, createCell, takeAmount } from '../../src/limit/window.ts'

const cases = table(`
  past                       | current | minimum | value | why
  -                          | 999     | 1       | 0     | nothing is known, so nothing is unusual
  10 10 10 10 10 10 10       | 999     | 1       | 0     | seven active hours are too few
  10 10 10 10 10 10 10 10    | 10      | 1       | 0     | as always
  10 10 10 10 10 10 10 10    | 9       | 1       | 0     | less than always
  9 9 9 9 9 9 9 9            | 21      | 1       | 400   | always nine: a deviation is its root, so 21 is four
  9 9 9 9 9 9 9 9            | 21      | 22      | 0     | below the minimum
  9 9 9 9 9 9 9 9 900        | 21      | 1       | 400   | one wild hour moves nothing
  0 9 0 9 0 9 0 9 9 9 9 9    | 21      | 1       | 400   | quiet hours say nothing
  10 20 30 40 50 60 70 80    | 45      | 1       | 0     | as much as always
  10 20 30 40 50 60 70 80    | 164     | 1       | 401   | 45 + 4 x 1.4826 x 20
  1 1 1 1 1 1 1 1            | 5       | 1       | 400   | a deviation is at least one
`)

describe('a baseline', () => {
  test.each(cases)('$past, then $current: $why', ({ past = '', current, minimum, value }) => {
    const list = past === '' ? [] : past.split(' ').map(Number)
    expect(deviationOf(list, Number(current), Number(minimum))).toBe(Number(value))
  })

  test('is read from the buckets before this one, and read again when they change', () => {
    const read = createDeviationReader({ minimum: 1 })
    const cell = createCell()
    for (let slot = 1; slot <= 9; slot++) addAmount(cell, slot, slot === 9 ? 20 : 9)
    expect(read(cell, 0, 9, 1)).toBe(400)
    expect(read(cell, 0, 9, 4)).toBe(500) // reserved by others
    expect(read(cell, 2, 9, 1)).toBe(0) // the first has left the baseline: seven are too few
    expect(read(cell, 0, 10, 21)).toBe(400) // the next hour: 20 is one wild hour among the past
    takeAmount(cell, 1, 9)
    takeAmount(cell, 2, 9)
    expect(read(cell, 0, 10, 21)).toBe(0)
  })
})
