import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  canonicalJson,
  canonicalJsonWithout,
  decodeBase64,
  decodeHex,
  decodeUtf8,
  encodeBase64,
  encodeHex,
  encodeUtf8,
  type Json,
  type JsonObject,
  parseJson,
  utf8Length,
} from '../src/index.ts'

interface Vectors {
  readonly numbers: readonly (readonly [string, string | null])[]
  readonly texts: readonly { readonly why: string; readonly text: string; readonly canonical: string }[]
  readonly refused: readonly { readonly why: string; readonly text: string; readonly code: string; readonly at: string }[]
}
const vectors = JSON.parse(readFileSync(new URL('../../../vectors/canonical-json.json', import.meta.url), 'utf8')) as Vectors

/** Calls with what the types forbid, as careless JavaScript would. */
const canonicalUnchecked = canonicalJson as (value: unknown) => string
const code = (expected: string) => expect.objectContaining({ name: 'KernelError', code: expected })

/** Any JSON value that the strict reader accepts; minus zero is left out because canonical JSON cannot tell it from zero. */
const anyJson: fc.Arbitrary<Json> = fc
  .jsonValue({ maxDepth: 6, depthSize: 'medium', stringUnit: 'binary' })
  .map((value) => JSON.parse(JSON.stringify(value)) as Json)
  .filter((value) => !/"(?:__proto__|constructor|prototype)":/.test(JSON.stringify(value)))

/** The same value with the keys of every object in the opposite order. */
function reversed(value: Json): Json {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  )
}

describe('canonicalJson', () => {
  test.each(vectors.numbers)('writes the number %s as %s', (bits, text) => {
    const number = Buffer.from(bits, 'hex').readDoubleBE()
    if (text === null) expect(() => canonicalJson(number)).toThrow(code('canonical_number'))
    else expect(canonicalJson(number)).toBe(text)
  })

  test.each(vectors.texts)('$why', ({ text, canonical }) => {
    expect(canonicalJson(JSON.parse(text) as Json)).toBe(canonical)
    expect(canonicalJson(parseJson(text))).toBe(canonical)
    expect(canonicalJson(parseJson(canonical))).toBe(canonical)
  })

  test.each([
    ['undefined', undefined, 'canonical_type'],
    ['an undefined member', { a: undefined }, 'canonical_type'],
    ['a hole', new Array(2), 'canonical_type'],
    ['a function', { a: () => 1 }, 'canonical_type'],
    ['a symbol', [Symbol('a')], 'canonical_type'],
    ['a bigint', 1n, 'canonical_type'],
    ['a date', new Date(0), 'canonical_type'],
    ['a map', new Map([['a', 1]]), 'canonical_type'],
    ['bytes', new Uint8Array(1), 'canonical_type'],
    [
      'an instance',
      new (class Point {
        x = 1
      })(),
      'canonical_type',
    ],
    ['an inherited object', Object.create({ a: 1 }), 'canonical_type'],
    ['toJSON', { toJSON: () => 'other' }, 'canonical_type'],
    ['NaN', [Number.NaN], 'canonical_number'],
    ['infinity', { a: -Infinity }, 'canonical_number'],
    ['toJSON of its own in a list', Object.assign([() => 1], { toJSON: () => 1 }), 'canonical_type'],
    ['a lone surrogate', '\ud800', 'canonical_surrogate'],
    ['one behind keys in order', { a: 1, b: { c: ['\udfff'] } }, 'canonical_surrogate'],
    ['a lone surrogate as a key', { 'a\udc00': 1 }, 'canonical_surrogate'],
  ])('refuses %s', (_name, value, expected) => {
    expect(() => canonicalUnchecked(value)).toThrow(code(expected))
  })

  test('nests 64 levels and no more', () => {
    const nest = (levels: number): Json => Array.from({ length: levels }).reduce<Json>((inner) => [inner], 1)
    expect(canonicalJson(nest(64))).toBe(`${'['.repeat(64)}1${']'.repeat(64)}`)
    expect(() => canonicalJson(nest(65))).toThrow(code('canonical_depth'))
    const loop: { self?: unknown } = {}
    loop.self = loop
    expect(() => canonicalUnchecked(loop)).toThrow(code('canonical_depth'))
  })

  test('writes objects without a prototype, and leaves its argument as it was', () => {
    const value = Object.assign(Object.create(null) as Record<string, Json>, { b: 1, a: [{ d: 1, c: 2 }] })
    expect(canonicalJson(value)).toBe('{"a":[{"c":2,"d":1}],"b":1}')
    expect(Object.keys(value)).toEqual(['b', 'a'])
  })

  test('what a list says about itself is not asked', () => {
    expect(canonicalJson(Object.assign([1, 2], { toJSON: () => 'other' }))).toBe('[1,2]')
    expect(canonicalJson({ a: Object.assign(['b'], { toJSON: () => 'other' }) })).toBe('{"a":["b"]}')
  })

  test('law: a member that is left out is as one that was never there, whatever it holds', () => {
    const object = fc.dictionary(fc.constantFrom('a', 'b', 'sealed', 'z'), anyJson, { noNullPrototype: true })
    fc.assert(
      fc.property(fc.array(object), (given) => {
        const values = given as readonly JsonObject[]
        const rest = values.map((value) => Object.fromEntries(Object.entries(value).filter(([key]) => key !== 'sealed')))
        const odd = values.map((value) => ('sealed' in value ? { ...value, sealed: undefined as unknown as Json } : value))
        for (const list of [values, odd, values.map(reversed)])
          expect(canonicalJsonWithout(list as readonly JsonObject[], 'sealed')).toBe(canonicalJson(rest))
      }),
    )
  })

  test('law: the order of keys never matters', () => {
    fc.assert(fc.property(anyJson, (value) => canonicalJson(reversed(value)) === canonicalJson(value)))
  })

  test('law: reading back what was written gives the value', () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        expect(parseJson(canonicalJson(value))).toEqual(value)
      }),
    )
  })
})

describe('parseJson', () => {
  test.each(vectors.refused)('refuses: $why', ({ text, code: expected, at }) => {
    expect(() => parseJson(text)).toThrow(code(expected))
    expect(() => parseJson(text)).toThrow(new RegExp(`at ${at}$`))
  })

  test('law: reads what JSON.parse reads, in any spelling', () => {
    fc.assert(
      fc.property(anyJson, fc.nat({ max: 4 }), (value, indent) => {
        expect(parseJson(JSON.stringify(value, null, indent))).toEqual(value)
      }),
    )
  })

  test('law: a damaged text never gives anything but a KernelError or what JSON.parse gives', () => {
    fc.assert(
      fc.property(anyJson, fc.nat(), fc.constantFrom('"', '\\', '{', ']', ',', '0', 'e', ''), (value, position, patch) => {
        const text = JSON.stringify(value)
        const at = position % text.length
        const damaged = text.slice(0, at) + patch + text.slice(at + 1)
        let read: Json
        try {
          read = parseJson(damaged)
        } catch (error) {
          expect(error).toEqual(expect.objectContaining({ name: 'KernelError' }))
          return
        }
        expect(read).toEqual(JSON.parse(damaged))
      }),
    )
  })

  test('keeps to its limits', () => {
    expect(parseJson('"€"', { maxBytes: 5 })).toBe('€')
    expect(() => parseJson('"€"', { maxBytes: 4 })).toThrow(code('canonical_size'))
    expect(() => parseJson(' '.repeat(1_048_577))).toThrow(code('canonical_size'))
    expect(parseJson('[[]]', { maxDepth: 2 })).toEqual([[]])
    expect(() => parseJson('[[[]]]', { maxDepth: 2 })).toThrow(code('canonical_depth'))
    expect(() => parseJson('['.repeat(65))).toThrow(code('canonical_depth'))
    expect(() => parseJson('{"a":'.repeat(100_000), { maxDepth: 1_000_000 })).toThrow(code('canonical_depth'))
  })

  test('gives plain objects that inherit nothing new', () => {
    const value = parseJson('{"toString":1,"hasOwnProperty":2}')
    expect(value).toEqual({ toString: 1, hasOwnProperty: 2 })
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  })
})

describe('text and bytes', () => {
  const bytes = fc.uint8Array({ maxLength: 300 })

  test('law: hex and Base64 are those of Node, and read back', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(encodeHex(value)).toBe(Buffer.from(value).toString('hex'))
        expect(encodeBase64(value)).toBe(Buffer.from(value).toString('base64'))
        expect(decodeHex(encodeHex(value))).toEqual(value)
        expect(decodeBase64(encodeBase64(value))).toEqual(value)
      }),
    )
  })

  test('law: a text that decodes is the one text of its bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'AQgw0+/=-_ \n'), maxLength: 12 }), (text) => {
        const read = decodeBase64(text)
        if (read !== undefined) expect(encodeBase64(read)).toBe(text)
      }),
      { numRuns: 2000 },
    )
    for (const text of ['A', 'AB', 'AB=', 'AB==C', 'AR==', 'AAF=', 'A===', '====', 'AA\n=', 'AA_-', 'é==='])
      expect(decodeBase64(text)).toBeUndefined()
    for (const text of ['a', 'AB', '0g', ' 0']) expect(decodeHex(text)).toBeUndefined()
  })

  test('law: UTF-8 is that of Node, both ways', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(encodeUtf8(text)).toEqual(new Uint8Array(Buffer.from(text)))
        expect(utf8Length(text)).toBe(Buffer.byteLength(text))
        expect(decodeUtf8(encodeUtf8(text))).toBe(text)
      }),
    )
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    const nearUtf8 = fc.array(
      fc.constantFrom(0x41, 0x80, 0xbf, 0xc0, 0xc2, 0xe0, 0xa0, 0xed, 0xef, 0xbb, 0xf0, 0x90, 0xf4, 0x8f, 0xf8, 0xff),
      { maxLength: 6 },
    )
    fc.assert(
      fc.property(nearUtf8, (values) => {
        const value = Uint8Array.from(values)
        let expected: string | undefined
        try {
          expected = strict.decode(value)
        } catch {
          expect(() => decodeUtf8(value)).toThrow(code('canonical_syntax'))
          return
        }
        expect(decodeUtf8(value)).toBe(expected)
      }),
      { numRuns: 3000 },
    )
  })

  test('lone surrogates are counted as Node counts them, and never encoded', () => {
    for (const text of ['\ud800', 'a\udc00b', '\ud800\ud800\udc00']) {
      expect(utf8Length(text)).toBe(Buffer.byteLength(text))
      expect(() => encodeUtf8(text)).toThrow(code('canonical_surrogate'))
    }
  })
})
