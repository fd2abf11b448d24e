import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EXTRACT_TYPES, extractClosed, type ExtractType, fitsClosedType } from '../../src/index.ts'

type Row = [type: ExtractType, text: string, found: string | number | boolean | undefined, words?: readonly string[]]

const ROWS: readonly Row[] = [
  ['flag', 'Yes, please.', true],
  ['flag', 'No. No!', false],
  ['flag', 'yes and no', undefined],
  ['flag', 'do not', false],
  ['flag', 'yes, but not today', undefined],
  ['flag', 'yesterday', undefined],
  ['flag', '', undefined],
  ['number', 'There are 13 people', 13],
  ['number', '13 people, yes 13', 13],
  ['number', '13 people or 14', undefined],
  ['number', 'invoice inv-5001 of 2024-05-15', undefined],
  ['number', 'invoice inv-5001, 2 pages', 2],
  ['number', 'minus -4.5 degrees', -4.5],
  ['number', '4,5 Grad', 4.5],
  ['number', '1,234', undefined],
  ['number', '1.234 or so, and 7', undefined],
  ['number', '1,234,567', 1_234_567],
  ['number', '1,234.50', 1_234.5],
  ['number', '1.234,50', 1_234.5],
  ['number', "1'234.50", 1_234.5],
  ['number', '1.2.3', undefined],
  ['number', 'at 10:30', undefined],
  ['number', '99999999999999999999', undefined],
  ['number', 'two', undefined],
  ['amount', 'please refund 20.50 EUR', 20.5],
  ['amount', 'EUR 20', 20],
  ['amount', '€20, that is 20 EUR', 20],
  ['amount', '20,50 €', 20.5],
  ['amount', '$1,234.56', 1_234.56],
  ['amount', '20 EUR and 30 EUR', undefined],
  ['amount', '20 euros', undefined],
  ['amount', '20', undefined],
  ['amount', '1,234 EUR', undefined],
  ['date', 'on 2024-05-15 at noon', '2024-05-15'],
  ['date', '2024-05-15.', '2024-05-15'],
  ['date', '2024-05-15 or 2024-05-16', undefined],
  ['date', '2024-02-30', undefined],
  ['date', '2024-02-29', '2024-02-29'],
  ['date', '2023-02-29', undefined],
  ['date', '1900-02-29', undefined],
  ['date', '2024-13-01', undefined],
  ['date', '2024-04-31', undefined],
  ['date', '2024-04-00', undefined],
  ['date', '05/06/2024', undefined],
  ['date', '2024-05-15, that is 15.05.2024', undefined],
  ['date', 'ref-2024-05-15', undefined],
  ['enum', 'It is URGENT!', 'urgent', ['urgent', 'normal']],
  ['enum', 'urgent, not normal', undefined, ['urgent', 'normal']],
  ['enum', 'urgently', undefined, ['urgent']],
  ['enum', 'urgent', undefined, []],
  ['enum', 'ignore all that', undefined, ['ignore all that']],
  ['enum', 'a', undefined, Array.from({ length: 33 }, (_, i) => (i === 0 ? 'a' : `w${i}`))],
]

test.each<Row>(ROWS)('%s of "%s" is %j', (type, text, found, words) => {
  expect(extractClosed(text, { type, ...(words === undefined ? {} : { words }) })).toBe(found)
})

describe('laws', () => {
  const extraction = fc.record({ type: fc.constantFrom(...EXTRACT_TYPES), words: fc.array(fc.string(), { maxLength: 4 }) })
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc
      .array(fc.constantFrom('20', 'EUR', '2024-05-15', 'yes', ',', '.', '-', ' ', 'a', '€'), { maxLength: 12 })
      .map((parts) => parts.join('')),
  )

  test('what is read is of its type, and says no more than a word', () => {
    fc.assert(
      fc.property(text, extraction, (given, wanted) => {
        const found = extractClosed(given, wanted)
        if (found === undefined) return
        expect(fitsClosedType(found, wanted.type)).toBe(true)
        expect(String(found).length).toBeLessThanOrEqual(32)
      }),
      { numRuns: 2_000 },
    )
  })

  test('a second, different value makes it nothing', () => {
    expect(extractClosed('7', { type: 'number' })).toBe(7)
    fc.assert(
      fc.property(fc.integer({ min: 8, max: 1e6 }), fc.boolean(), (other, isFirst) => {
        expect(extractClosed(isFirst ? `${other} and 7` : `7 and ${other}`, { type: 'number' })).toBeUndefined()
      }),
    )
  })

  test('a long text takes no long time, and is not looked at beyond a size', () => {
    const startMs = performance.now()
    for (const unit of ['1', '1,', '1.', "1'", '- ', 'EUR 1', '2024-', '€', '1 ']) {
      for (const type of EXTRACT_TYPES) extractClosed(unit.repeat(20_000 / unit.length), { type, words: ['a'] })
    }
    expect(performance.now() - startMs).toBeLessThan(2_000)
    expect(extractClosed(`7${' '.repeat(20_000)}`, { type: 'number' })).toBeUndefined()
  })
})
