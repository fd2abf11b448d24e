import { createPublicKey, verify } from 'node:crypto'
import { createSigningKey, nodeHasher, nodeVerifier, signerOf } from '@tidegate/crypto-node'
import type { JsonObject } from '@tidegate/kernel'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bindingHash, bindingMembers, issueBindingToken, readBindingToken } from '../../src/authzen/binding.ts'
import { type JwsType, jwkSet, signJws, verifyJws } from '../../src/authzen/jws.ts'

const partsOf = () => ({
  signer: signerOf('t', createSigningKey()),
  verifier: nodeVerifier,
  hasher: nodeHasher,
  identifier: 'x.example/t',
})
const parts = partsOf()
const TYPES: readonly JwsType[] = ['tidegate-binding+jwt', 'tidegate-approval+jwt', 'JWT']

describe('signed values', () => {
  const claims = fc.dictionary(
    fc.stringMatching(/^[a-z]{1,8}$/),
    fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.boolean()),
  )

  test('what was signed comes back, for the key and the type that signed it', () => {
    fc.assert(
      fc.property(claims, fc.constantFrom(...TYPES), fc.constantFrom(...TYPES), (value, typ, read) => {
        const text = signJws(parts, typ, value as JsonObject)
        expect(verifyJws(parts, read, text)).toEqual(typ === read ? { ...value } : undefined)
        expect(verifyJws(partsOf(), typ, text)).toBeUndefined()
      }),
      { numRuns: 50 },
    )
  })

  test('node verifies it with the published key', () => {
    const text = signJws(parts, 'JWT', { a: 1 })
    const [head, body, signature = ''] = text.split('.')
    const [jwk] = jwkSet(parts).keys as readonly JsonObject[]
    const key = createPublicKey({ key: { ...jwk }, format: 'jwk' })
    expect(verify(null, Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url'))).toBe(true)
    expect(JSON.parse(Buffer.from(head ?? '', 'base64url').toString())).toEqual({ alg: 'EdDSA', kid: jwk?.kid, typ: 'JWT' })
  })

  test('a change anywhere, or anything else, is nothing', () => {
    const text = signJws(parts, 'JWT', { a: 1 })
    for (let at = 0; at < text.length; at += 1) {
      const other = text[at] === 'A' ? 'B' : 'A'
      expect([at, verifyJws(parts, 'JWT', text.slice(0, at) + other + text.slice(at + 1))]).toEqual([at, undefined])
    }
    const [head, body, signature] = text.split('.')
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')
    for (const wrong of [
      '',
      '..',
      `${none}.${body}.`,
      `${head}.${body}`,
      `${text}.x`,
      `${head}.${body}.${signature}=`,
      'x'.repeat(10_000),
    ]) {
      expect(verifyJws(parts, 'JWT', wrong)).toBeUndefined()
    }
  })
})

describe('the binding of a denial', () => {
  const request = {
    subject: { type: 'user', id: 'mei', properties: { act: { sub: 'agent' }, role: 'x' } },
    action: { name: 'read' },
    resource: { type: 'record', id: 'r1' },
    context: { why: 'audit', time: 'now', noise: 1 },
  }

  test('is the hash that the profile defines', () => {
    const canonical =
      '{"action":{"name":"read"},"context":{"why":"audit"},"resource":{"id":"r1","type":"record"},"subject":{"id":"mei","properties":{"role":"x"},"type":"user"}}'
    const expected = Buffer.from(nodeHasher.sha256(canonical)).toString('base64url')
    expect(bindingHash(parts, request, ['why'])).toBe(expected)
  })

  test('counts what policies may speak of and is there, and never the time or the approval', () => {
    expect(
      bindingMembers(['why', 'time', 'gone', 'approval', 'reason'], { ...request.context, approval: {}, reason: 'x' }),
    ).toEqual(['why'])
  })

  test('is not changed by the actor, and by anything else it is', () => {
    const hash = bindingHash(parts, request, ['why'])
    const { act: _, ...properties } = request.subject.properties
    expect(bindingHash(parts, { ...request, subject: { ...request.subject, properties } }, ['why'])).toBe(hash)
    const others = [
      { ...request, subject: { ...request.subject, id: 'jo' } },
      { ...request, action: { name: 'write' } },
      { ...request, action: { name: 'read', properties: {} } },
      { ...request, resource: { ...request.resource, properties: { a: null } } },
      { ...request, context: { why: 'other' } },
      { ...request, context: {} },
    ]
    for (const other of others) expect(bindingHash(parts, other, ['why'])).not.toBe(hash)
  })

  test('a token says what it was issued for, to us alone', () => {
    const binding = { hash: 'h', members: ['why'] }
    const denial = { evaluationId: 'e', expiresAt: '2026-01-01T00:00:00.000Z', binding, jti: 'j', nowMs: 0, policyVersion: 'v' }
    const token = issueBindingToken(parts, denial)
    expect(readBindingToken(parts, token)).toEqual({ token: 'j', evaluationId: 'e', expiresAt: denial.expiresAt, binding })
    expect(readBindingToken({ ...parts, identifier: 'other' }, token)).toBeUndefined()
    expect(readBindingToken(parts, signJws(parts, 'tidegate-approval+jwt', {}))).toBeUndefined()
  })
})
