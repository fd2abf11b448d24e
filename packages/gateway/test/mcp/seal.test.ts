import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createSeal, type SealPurpose } from '../../src/mcp/seal.ts'

const seal = createSeal(new Uint8Array(32).fill(1))
const PURPOSES: readonly SealPurpose[] = ['session', 'state', 'task']

describe('a seal', () => {
  test('opens what it sealed, for the same purpose and host', () => {
    fc.assert(
      fc.property(fc.constantFrom(...PURPOSES), fc.string(), fc.string({ maxLength: 500 }), (purpose, host, text) => {
        const sealed = seal.seal(purpose, host, { text: text.toWellFormed() })
        expect(sealed).toMatch(/^[\w-]+$/)
        expect(seal.open(purpose, host, sealed)).toEqual({ text: text.toWellFormed() })
      }),
    )
  })

  test('opens for no other purpose, no other host, and under no other secret', () => {
    const sealed = seal.seal('session', 'claude', { n: 1 })
    for (const purpose of ['state', 'task'] as const) expect(seal.open(purpose, 'claude', sealed)).toBeUndefined()
    for (const host of ['claud', 'claude ', 'Claude', '', 'claude\nx']) expect(seal.open('session', host, sealed)).toBeUndefined()
    expect(createSeal(new Uint8Array(32).fill(2)).open('session', 'claude', sealed)).toBeUndefined()
  })

  test('a purpose and a host cannot be read as another purpose and host', () => {
    const sealed = seal.seal('state', 'a\nb', 1)
    expect(seal.open('state', 'a', sealed)).toBeUndefined()
  })

  test('does not open after any change', () => {
    const sealed = seal.seal('task', 'claude', { n: 1 })
    for (let at = 0; at < sealed.length; at += 1) {
      for (const letter of ['A', 'z', '_', '']) {
        const changed = `${sealed.slice(0, at)}${letter}${sealed.slice(at + 1)}`
        if (changed === sealed) continue
        expect(seal.open('task', 'claude', changed)).toBeUndefined()
      }
    }
  })

  test.each(['', 'x', 'A'.repeat(38), 'A'.repeat(7_000), '../../etc/passwd', '\u0000'])('does not open %j', (text) => {
    expect(seal.open('state', 'claude', text)).toBeUndefined()
  })

  test('says nothing of what is in it, and is never the same twice', () => {
    const [first, second] = [
      seal.seal('task', 'claude', { secret: 'hunter2' }),
      seal.seal('task', 'claude', { secret: 'hunter2' }),
    ]
    expect(first).not.toBe(second)
    expect(Buffer.from(first, 'base64url').toString('latin1')).not.toContain('hunter2')
  })
})
