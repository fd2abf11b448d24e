import type { AuthZen } from '@tidegate/runtime'
import { afterEach, describe, expect, test } from 'vitest'
import { createGateway, type Gateway, type GatewayOptions } from '../src/index.ts'
import { createFakeTidegate } from './fake-tidegate.ts'
import { authenticate, TOKENS } from './people.ts'
import { send } from './raw-request.ts'

// What the gateway itself adds to the Authorization API; what is decided is tested end to end.

/** A decision point that fails at everything. */
const BROKEN: AuthZen = {
  identifier: 't',
  evaluate: () => Promise.reject(new Error('secret detail')),
  evaluateAll: () => Promise.reject(new Error('secret detail')),
  search: () => Promise.reject(new Error('secret detail')),
  requests: {
    submit: () => Promise.reject(new Error('secret detail')),
    task: () => Promise.reject(new Error('secret detail')),
    cancel: () => Promise.reject(new Error('secret detail')),
  },
  keys: () => ({ keys: [] }),
  signMetadata: () => 'a.b.c',
}

let gateway: Gateway | undefined
afterEach(() => gateway?.close())

async function start(more: Partial<GatewayOptions>): Promise<number> {
  gateway = createGateway({ tidegate: createFakeTidegate(), authenticate, version: '0.1.0', ...more })
  return (await gateway.listen()).port
}

const headers = { authorization: `Bearer ${TOKENS.mei}`, 'content-type': 'application/json', 'x-request-id': 'r-1' }
const body = JSON.stringify({ subject: { type: 'a', id: 'b' }, action: { name: 'c' }, resource: { type: 'd', id: 'e' } })

describe('without a decision point', () => {
  test('there is none', async () => {
    const port = await start({})
    for (const path of ['/access/v1/evaluation', '/.well-known/authzen-configuration', '/access/v1/jwks']) {
      expect((await send(port, 'GET', path, { headers: { authorization: headers.authorization } })).status).toBe(404)
    }
  })
})

describe('a decision point that fails', () => {
  test('is an error of the server that tells nothing, as a line of text, and never a decision', async () => {
    const port = await start({ authzen: BROKEN })
    const answer = await send(port, 'POST', '/access/v1/evaluation', { headers, body })
    expect([answer.status, answer.headers['content-type'], answer.headers['x-request-id']]).toEqual([
      500,
      'text/plain; charset=utf-8',
      'r-1',
    ])
    expect(answer.text).toMatch(/^internal_error: /)
    expect(answer.text).not.toContain('secret')
    const looked = await send(port, 'GET', '/access/v1/requests/x', { headers: { authorization: headers.authorization } })
    expect([looked.status, looked.headers['content-type']]).toEqual([500, 'application/problem+json'])
  })
})

describe('the public address', () => {
  test.each(['https://pdp.example.com/path', 'https://pdp.example.com?x', 'ftp://pdp.example.com', 'pdp.example.com', ''])(
    '%s is refused',
    (publicUrl) => {
      const create = (): Gateway =>
        createGateway({ tidegate: createFakeTidegate(), authenticate, version: '0.1.0', authzen: BROKEN, publicUrl })
      expect(create).toThrow(expect.objectContaining({ code: 'gateway_host_invalid' }))
    },
  )

  test('stands in the metadata, and its host is answered; another one is not', async () => {
    const port = await start({ authzen: BROKEN, publicUrl: 'https://pdp.example.com' })
    const path = '/.well-known/authzen-configuration'
    const { status, text } = await send(port, 'GET', path, { headers: { host: 'pdp.example.com' } })
    expect([status, (JSON.parse(text) as { policy_decision_point: string }).policy_decision_point]).toEqual([
      200,
      'https://pdp.example.com',
    ])
    expect((await send(port, 'GET', path, { headers: { host: 'pdp.attacker.example' } })).status).toBe(421)
  })
})
