import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { renderAmount, renderPreview } from '../src/terminal/difference.ts'
import { inert, inertJson, inertText } from '../src/terminal/inert.ts'
import { createStyle, wantsColour } from '../src/terminal/style.ts'
import { fit, renderTable } from '../src/terminal/table.ts'
import { widthOf } from '../src/terminal/width.ts'
import { renderDuration, renderWhen } from '../src/terminal/time.ts'
import { hang, wrap } from '../src/terminal/wrap.ts'

// biome-ignore lint/suspicious/noControlCharactersInRegex: what must never be left over
const UNSAFE = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]|\uDB40/

describe('what somebody else wrote', () => {
  const cases = [
    ['a colour', '\u001b[31mred\u001b[0m', 'red'],
    ['a cleared screen', 'a\u001b[2J\u001b[Hb', 'ab'],
    ['a window title', 'a\u001b]0;evil\u0007b', 'ab'],
    ['a link that leads elsewhere', '\u001b]8;;http://evil.example\u001b\\text\u001b]8;;\u001b\\', 'text'],
    ['a sequence without an end', 'a\u001b[', 'a'],
    ['a one-byte sequence start', 'a\u009b31mb', 'a31mb'],
    ['reordered text', 'user\u202egpj.exe', 'usergpj.exe'],
    ['zero-width characters', 'pass\u200bword\ufeff', 'password'],
    ['text in the tag block', `hi\u{E0041}\u{E0042}`, 'hi'],
    ['a carriage return that overwrites', 'yes\rno', 'yesno'],
    ['lines and tabs, which stay', 'a\n\tb', 'a\n\tb'],
    ['other scripts, which stay', '谢谢 🎉 é', '谢谢 🎉 é'],
  ] as const
  test.each(cases)('%s', (_, text, expected) => {
    expect(inertText(text)).toBe(expected)
  })

  test('nothing unsafe is ever left, in texts, names, or JSON; and JSON is exactly the data', () => {
    const wild = fc.string({
      unit: fc.oneof(
        fc.constantFrom('\u001b', '[', ']', '2J', '\u0007', '\u202e', '\u009b', '\u{E0041}', 'x', '\\'),
        fc.string({ maxLength: 3 }),
      ),
    })
    fc.assert(
      fc.property(wild, wild, (key, text) => {
        expect(inertText(text)).not.toMatch(UNSAFE)
        expect(JSON.stringify(inert({ [key]: [text] }))).not.toMatch(UNSAFE)
        const json = inertJson({ [key]: text })
        expect(json).not.toMatch(UNSAFE)
        expect(JSON.parse(json)).toEqual({ [key]: text })
      }),
    )
  })
})

describe('previews', () => {
  const cases = [
    [{ before: { a: 1, b: 'x' }, after: { a: 2, b: 'x' } }, ['~ a: 1 -> 2']],
    [{ before: { a: 1 }, after: { b: 1 } }, ['- a: 1', '+ b: 1']],
    [{ before: null, after: { id: 'x' } }, ['- : null', '+ id: x']],
    [{ invoice: { total: 5 }, list: [1] }, ['  invoice.total: 5', '  list[0]: 1']],
    [null, ['  null']],
  ] as const
  test.each(cases)('%j', (preview, expected) => {
    expect(renderPreview(preview).map(({ sign, text }) => `${sign} ${text}`)).toEqual(expected)
  })

  test('a long one is cut, and says so', () => {
    expect(renderPreview(Array.from({ length: 100 }, (_, i) => i)).at(-1)).toEqual({ sign: ' ', text: 'and 40 more' })
  })
})

describe('tables', () => {
  test('columns line up, also with wide characters and colours', () => {
    const style = createStyle({ colour: true })
    const lines = renderTable(
      ['a', 'b'],
      [
        ['谢谢', 'x'],
        [style('good', 'ok'), 'y'],
      ],
    ).split('\n')
    expect(lines.map((line) => widthOf(line))).toEqual([7, 7, 7])
  })

  test.each([
    ['short', 10, 'short'],
    ['much too long', 6, 'much \u2026'],
    ['谢谢谢谢', 5, '谢谢\u2026'],
  ] as const)('%s fits in %i', (text, width, expected) => {
    expect(fit(text, width)).toBe(expected)
    expect(widthOf(fit(text, width))).toBeLessThanOrEqual(width)
  })
})

test.each([
  [0.123, '0.12 ms'],
  [340.4, '340 ms'],
  [12_400, '12 s'],
  [180_000, '3 min'],
  [7_200_000, '2 h'],
  [432_000_000, '5 d'],
])('%d ms is %s', (ms, expected) => {
  expect(renderDuration(ms)).toBe(expected)
})

test('when', () => {
  expect([renderWhen(0, 500), renderWhen(0, 65_000), renderWhen(65_000, 0)]).toEqual(['now', '1 min ago', 'in 1 min'])
})

test.each([
  [true, true, {}, true],
  [true, false, {}, false],
  [true, true, { NO_COLOR: '1' }, false],
  [true, false, { FORCE_COLOR: '1' }, true],
  [true, true, { FORCE_COLOR: '0' }, false],
  [false, true, { FORCE_COLOR: '1' }, false],
  [true, true, { TERM: 'dumb' }, false],
])('colour: flag %s, tty %s, %j -> %s', (flag, isTty, env, expected) => {
  expect(wantsColour({ flag, isTty, env })).toBe(expected)
})

describe('narrow terminals', () => {
  test('a line is broken between words, and its rest stands under its first', () => {
    expect(hang('  Saw   ', 'one two three four five six', 30)).toBe('  Saw   one two three four\n        five six')
    expect(wrap('', 40)).toEqual([''])
  })

  test('no line is wider than it may be, and nothing is lost', () => {
    const words = fc.array(fc.string({ unit: fc.constantFrom('a', 'B', '\u8c22', '-'), minLength: 1, maxLength: 60 }), {
      minLength: 1,
    })
    fc.assert(
      fc.property(words, fc.integer({ min: 20, max: 90 }), (parts, columns) => {
        const lines = wrap(parts.join(' '), columns)
        for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(columns)
        expect(lines.join('').replaceAll(' ', '')).toBe(parts.join(''))
      }),
    )
  })

  const rows = [['id-1', 'open', 'a long explanation of what is the matter here']]
  test.each([
    [200, ['ID    STATE  WHAT', 'id-1  open   a long explanation of what is the matter here']],
    [40, ['ID    STATE  WHAT', 'id-1  open   a long explanation of what', '             is the matter here']],
    [30, ['ID    STATE', 'id-1  open', '  a long explanation of what', '  is the matter here']],
  ])('a table at %i columns', (columns, expected) => {
    expect(
      renderTable(['id', 'state', 'what'], rows, columns)
        .split('\n')
        .map((line) => line.trimEnd()),
    ).toEqual(expected)
  })
})

test.each([
  ['amountMinor', '48000', { after: { currency: 'EUR' } }, '48000 (EUR 480.00)'],
  ['amountMinor', '48000', { after: { currency: 'JPY' } }, '48000 (JPY 48000)'],
  ['amountMinor', '48000', { a: { currency: 'EUR' }, b: { currency: 'CNY' } }, '48000 (480.00)'],
  ['amountMinor', 'all', null, 'all'],
  ['count', '48000', { currency: 'EUR' }, '48000'],
])('%s %s beside %j is %s', (path, text, near, expected) => {
  expect(renderAmount(path, text, near)).toBe(expected)
})
