import fc from 'fast-check'
import { expect, test } from 'vitest'
import { StreamGatherer } from '../src/output.ts'

const NONCE = '0123456789abcdef0123456789abcdef'

/** Bytes that a command may write, with many that look like a mark. */
const bytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc.nat(NONCE.length).map((length) => Buffer.from(NONCE.slice(0, length))),
    ),
  )
  .map((parts) => Buffer.concat(parts))
  .filter((all) => !all.includes(NONCE))

const cuts = fc.array(fc.nat(400), { maxLength: 12 })

function push(gatherer: StreamGatherer, all: Buffer, at: readonly number[]): void {
  const edges = [0, ...at.filter((edge) => edge < all.length).toSorted((a, b) => a - b), all.length]
  for (const [index, edge] of edges.slice(1).entries()) {
    const chunk = all.subarray(edges[index], edge)
    if (chunk.length > 0) gatherer.push(chunk)
  }
}

test('law: however the bytes arrive, everything before the mark is output, and nothing else', () => {
  fc.assert(
    fc.property(bytes, fc.nat(999), cuts, (output, code, at) => {
      const seen: Uint8Array[] = []
      const gatherer = new StreamGatherer(NONCE, 1_000_000, (some) => seen.push(Buffer.from(some)))
      push(gatherer, Buffer.concat([output, Buffer.from(NONCE + String(code).padStart(3, '0'))]), at)
      expect(gatherer.code).toBe(code)
      expect(Buffer.from(gatherer.take().bytes).equals(output)).toBe(true)
      expect(Buffer.concat(seen).equals(output)).toBe(true)
    }),
  )
})

test('law: without a mark, everything is output and there is no code', () => {
  fc.assert(
    fc.property(bytes, cuts, (output, at) => {
      const gatherer = new StreamGatherer(NONCE, 1_000_000, () => {})
      push(gatherer, output, at)
      expect(gatherer.code).toBe(null)
      expect(Buffer.from(gatherer.take().bytes).equals(output)).toBe(true)
    }),
  )
})

test('law: never more than the limit, and truncated exactly when there was more', () => {
  fc.assert(
    fc.property(bytes, fc.nat(100), cuts, (output, limit, at) => {
      let seen = 0
      const gatherer = new StreamGatherer(NONCE, limit, (some) => {
        seen += some.length
      })
      push(gatherer, Buffer.concat([output, Buffer.from(`${NONCE}000`)]), at)
      const gathered = gatherer.take()
      expect(gathered.bytes.length).toBe(Math.min(limit, output.length))
      expect(seen).toBe(gathered.bytes.length)
      expect(gathered.truncated).toBe(output.length > limit)
    }),
  )
})

test('what cannot be the start of a mark is passed on at once', () => {
  const seen: string[] = []
  const gatherer = new StreamGatherer(NONCE, 100, (some) => seen.push(Buffer.from(some).toString()))
  gatherer.push(Buffer.from('prompt> '))
  expect(seen).toEqual(['prompt> '])
})
