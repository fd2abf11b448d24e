import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '@tidegate/kernel'
import { ConnectError, nodeAt, parseRelaxed, plainOf, removeAt, setAt } from '../src/index.ts'

const read = (text: string): Json => plainOf(parseRelaxed(text))

describe('reading', () => {
  const cases: readonly (readonly [string, Json])[] = [
    ['{"a": [1, -2.5e3, true, null, "x\\u0041\\n"]}', { a: [1, -2500, true, null, 'xA\n'] }],
    ["{a: 'it''s'.length}".replace("'it''s'.length", "'it\\'s'"), { a: "it's" }],
    ['// top\n{ /* in */ $a_1: 0x1F, b: +.5, c: [1,], /* end */ }', { $a_1: 31, b: 0.5, c: [1] }],
    ['\ufeff{"a":"b\\\nc"}', { a: 'bc' }],
    ['  "only text"  // and a comment', 'only text'],
    ['{}', {}],
  ]
  test.each(cases)('%j', (text, value) => expect(read(text)).toEqual(value))

  const refused: readonly (readonly [string, RegExp])[] = [
    ['', /ends too early at 1:1/],
    ['{"a":1} x', /text after the end at 1:9/],
    ['{"a":1,\n"a":2}', /"a" stands there twice at 2:1/],
    ['{"__proto__": 1}', /"__proto__" is not allowed/],
    ['{"a" 1}', /":" was expected/],
    ['{"a": }', /a value was expected at 1:7/],
    ['[1 2]', /"," or "]" was expected/],
    ['{"a": "b', /a string does not end at 1:7/],
    ['{"a": "b\n"}', /a string does not end/],
    ['{"a": Infinity}', /a number that JSON does not know/],
    ['"\\u00g0"', /not an escape/],
    [`${'['.repeat(200)}${']'.repeat(200)}`, /nested deeper than 100/],
    ['"'.padEnd(4_200_000, 'x'), /larger than 4 MiB/],
  ]
  test.each(refused)('refuses %.20j', (text, why) => {
    expect(() => read(text)).toThrow(ConnectError)
    expect(() => read(text)).toThrow(why)
  })
})

describe('editing leaves everything else as it is', () => {
  const cases: readonly (readonly [string, string, (text: string) => string, string])[] = [
    ['a new key', '{\n  "a": 1 // one\n}\n', (text) => setAt(text, ['b'], 2), '{\n  "a": 1,\n  "b": 2 // one\n}\n'],
    [
      'a key that is there',
      '{\n  "a": 1, // one\n}\n',
      (text) => setAt(text, ['a'], [2]),
      '{\n  "a": [\n    2\n  ], // one\n}\n',
    ],
    ['a deep key', '{}', (text) => setAt(text, ['a', 'b'], 1), '{\n  "a": {\n    "b": 1\n  }\n}'],
    ['a deep key in what is there', '{\n\t"a": {}\n}', (text) => setAt(text, ['a', 'b'], 1), '{\n\t"a": {\n\t\t"b": 1\n\t}\n}'],
    ['one line', '{"a": 1}', (text) => setAt(text, ['b'], { c: 1 }), '{"a": 1, "b": {"c":1}}'],
    ['an item', '{\n  "a": [\n    1\n  ]\n}', (text) => setAt(text, ['a', 1], 2), '{\n  "a": [\n    1,\n    2\n  ]\n}'],
    [
      'the line ends of Windows',
      '{\r\n  "a": 1\r\n}',
      (text) => setAt(text, ['b'], { c: 1 }),
      '{\r\n  "a": 1,\r\n  "b": {\r\n    "c": 1\r\n  }\r\n}',
    ],
    ['a comment in an empty object', '{ // mine\n}', (text) => setAt(text, ['b'], 1), '{ // mine\n\n  "b": 1\n}'],
    ['removing the first', '{ "a": 1, /* b */ "b": 2 }', (text) => removeAt(text, ['a']), '{ "b": 2 }'],
    ['removing the last', '{\n  "a": 1,\n  "b": 2\n}', (text) => removeAt(text, ['b']), '{\n  "a": 1\n}'],
    ['removing the last, with its comma', '{\n  "a": 1,\n  "b": 2,\n}', (text) => removeAt(text, ['b']), '{\n  "a": 1,\n}'],
    ['removing the only one', '{\n  "a": 1\n}', (text) => removeAt(text, ['a']), '{}'],
    ['removing an item', '[1, 2, 3]', (text) => removeAt(text, [1]), '[1, 3]'],
    ['removing what is not there', '{"a": 1}', (text) => removeAt(text, ['b', 'c']), '{"a": 1}'],
  ]
  test.each(cases)('%s', (_, before, edit, after) => expect(edit(before)).toBe(after))

  test('what is neither an object nor a list is not overwritten', () => {
    expect(() => setAt('{"hooks": "none"}', ['hooks', 'x'], 1)).toThrow(
      /"hooks" in the configuration is not what the host expects/,
    )
    expect(() => setAt('{"a": [1]}', ['a', 3], 1)).toThrow(ConnectError)
  })

  const json = fc
    .jsonValue({ maxDepth: 4 })
    .filter((value) => !JSON.stringify(value).includes('"__proto__"')) // which is refused
    .map((value) => JSON.parse(JSON.stringify(value)) as Json)
  const key = fc.string({ minLength: 1 }).filter((name) => name !== '__proto__')
  const object = fc.dictionary(key, json, { maxKeys: 5 })

  test('law: what is set is there, the rest is as it was, and removing it gives the value before', () => {
    fc.assert(
      fc.property(object, key, json, fc.constantFrom(undefined, 2, '\t'), (before, name, value, indent) => {
        const text = JSON.stringify(before, null, indent)
        const set = setAt(text, [name], value)
        const plain = JSON.parse(text) as Readonly<Record<string, Json>>
        expect(read(set)).toEqual({ ...plain, [name]: value })
        const { [name]: _, ...rest } = plain
        expect(read(removeAt(set, [name]))).toEqual(rest)
        expect(nodeAt(parseRelaxed(set), [name])).toBeDefined()
      }),
    )
  })

  test('law: reading agrees with JSON', () => {
    fc.assert(
      fc.property(object, fc.constantFrom(undefined, 2), (value, indent) => {
        expect(read(JSON.stringify(value, null, indent))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })
})
