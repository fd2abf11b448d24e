import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type HostProject, openHostProject } from '../src/host-project.ts'
import { type ModelProvider, PROVIDER_KEY, startModelProvider } from '../src/model-provider.ts'

// The model of a host, through the real server: decided, streamed, counted, stopped, and of no weight as evidence.

let provider: ModelProvider
let host: HostProject
beforeEach(async () => {
  provider = await startModelProvider()
})
afterEach(async () => {
  await host.close()
  await provider.close()
})

const LIMIT = `- name: tokens-per-day
  of: tokens
  per: agent
  window: day
  limit: 250
  operations: [model.chat]
`

async function openModel({ format = 'openai', more = '' }: { format?: 'openai' | 'anthropic'; more?: string } = {}) {
  const baseUrl = format === 'openai' ? `${provider.url}/v1` : provider.url
  const price = '{ inputPerMillion: 2, outputPerMillion: 10 }'
  const model = `    model: { format: ${format}, baseUrl: "${baseUrl}", apiKey: { file: key }, price: ${price} }\n`
  host = await openHostProject({ host: model, more, files: { key: `${PROVIDER_KEY}\n`, 'limits.yaml': LIMIT } })
}

const token = (): string => readFileSync(join(host.project, '.tidegate', 'tokens', 'host-claw.token'), 'utf8').trim()
const ask = (path: string, body: object | undefined, headers: Record<string, string> = {}) =>
  fetch(`${host.url}/model${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token()}`, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
const say = (words: string, more: object = {}) => ({
  model: 'm-1',
  messages: [{ role: 'user', content: `say:${words}` }],
  ...more,
})

test('a reply is streamed while it comes, and recorded with what it used', async () => {
  await openModel()
  const response = await ask('/v1/chat/completions', say('one two three', { stream: true }))
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
  const text = await response.text()
  expect(text).toMatch(/one [\s\S]*two [\s\S]*three [\s\S]*\[DONE\]/)
  expect(text).not.toContain('usage') // nobody asked for it
  expect(provider.asked).toMatchObject([{ path: '/v1/chat/completions', key: PROVIDER_KEY }])
  const [head] = await host.client().runs({ limit: 1 })
  expect(head).toMatchObject({ workflow: 'model-claw', agent: 'claw', state: 'completed', effects: 0 })
  const run = JSON.stringify(await host.client().run(head?.run ?? ''))
  expect(run).toContain('one two three ')
  expect(run).toContain('"tokens":150')
  expect(run).toContain('"costMicros":700')
  expect(run).not.toContain(PROVIDER_KEY)
  expect(run).not.toContain(token())
})

test('the client of Anthropic is understood: x-api-key, messages, and errors in its words', async () => {
  await openModel({ format: 'anthropic' })
  const headers = { authorization: '', 'x-api-key': token() }
  const response = await ask('/v1/messages?beta=true', say('hello', { stream: true, max_tokens: 10 }), headers)
  expect(await response.text()).toMatch(/message_start[\s\S]*hello[\s\S]*message_stop/)
  expect(provider.asked).toMatchObject([{ path: '/v1/messages?beta=true', key: PROVIDER_KEY }])
  const none = await ask('/v1/chat/completions', say('x'))
  expect([none.status, await none.json()]).toMatchObject([404, { type: 'error', error: { type: 'not_found_error' } }])
})

test('a limit over tokens a day denies the call that comes after it is used up, over a restart, without being asked again and again', async () => {
  await openModel({ more: 'limits: [limits.yaml]\n' })
  for (const words of ['one', 'two']) {
    const reply = await ask('/v1/chat/completions', say(words, { stream: true }))
    expect(await reply.text()).toContain(words) // it ends when it is counted
  }
  const denied = await ask('/v1/chat/completions', say('x', { stream: true }))
  expect(denied.status).toBe(429)
  expect([denied.headers.get('x-should-retry'), denied.headers.get('retry-after')]).toEqual(['false', null])
  expect(await denied.json()).toMatchObject({
    error: { code: 'tidegate_limit', message: expect.stringContaining('tokens-per-day') },
  })
  await host.server.stop()
  await host.restart()
  expect((await ask('/v1/chat/completions', say('x'))).status).toBe(429)
  expect(provider.asked).toHaveLength(2)
})

test('a stop stops, and a policy denies: in the words of the provider, and the provider hears nothing', async () => {
  await openModel()
  const { stop } = await host.client().stop({ scope: 'agent:claw', mode: 'hold', why: 'an incident' })
  const stopped = await ask('/v1/chat/completions', say('x'))
  expect([stopped.status, await stopped.json()]).toMatchObject([503, { error: { code: 'tidegate_stopped' } }])
  await host.client().lift({ stop: stop.id, why: 'over' })
  writeFileSync(
    join(host.project, 'policies', 'own.cedar'),
    '@id("own.no-model") @reason("no models today")\nforbid (principal, action == Action::"model.chat", resource);\n',
  )
  await host.server.stop()
  await host.restart()
  const denied = await ask('/v1/chat/completions', say('x'))
  expect([denied.status, await denied.json()]).toMatchObject([
    403,
    { error: { code: 'tidegate_denied', message: expect.stringContaining('no models today (own.no-model)') } },
  ])
  expect(provider.asked).toEqual([])
  const file = join(host.project, 'tidegate.yaml')
  await host.server.stop()
  writeFileSync(file, readFileSync(file, 'utf8').replace('mode: enforce', 'mode: observe'))
  await host.restart()
  expect((await ask('/v1/chat/completions', say('x'))).status).toBe(200) // only observed, it goes through
  expect(await host.client().observed({})).toMatchObject({
    outcomes: { deny: 1 },
    groups: [{ policy: 'own.no-model', operation: 'model.chat' }],
  })
}, 60_000)

test('no other token opens the model, and that of a host opens only its own', async () => {
  await openModel()
  const mei = readFileSync(join(host.project, '.tidegate', 'tokens', 'mei.token'), 'utf8').trim()
  for (const authorization of [`Bearer ${mei}`, 'Bearer x', '', `Basic ${token()}`]) {
    const refused = await ask('/v1/models', undefined, { authorization })
    expect([refused.status, await refused.json()]).toMatchObject([401, { error: { code: 'tidegate_unauthorized' } }])
  }
  for (const path of ['', '/', '/v1', '/v1/files', '/v1/../v1/files', '/%2e/files']) {
    expect([path, (await ask(path, undefined)).status]).toEqual([path, 404])
  }
  expect((await ask('/v1/models', undefined, { origin: 'https://evil.example' })).status).toBe(403)
  expect(provider.asked).toEqual([])
})

test('a host that leaves in the middle leaves a record of what was used', async () => {
  await provider.close()
  provider = await startModelProvider({ pauseMs: 50 })
  await openModel()
  const { port } = new URL(host.url)
  const body = JSON.stringify(say('a b c d e f g h i j k l', { stream: true }))
  await new Promise<void>((resolve) => {
    const headers = { authorization: `Bearer ${token()}`, 'content-type': 'application/json', 'content-length': body.length }
    const asking = request(
      { host: '127.0.0.1', port, path: '/model/v1/chat/completions', method: 'POST', headers },
      (response) => {
        response.once('data', () => asking.destroy())
        response.once('close', resolve)
        response.on('error', () => undefined)
      },
    )
    asking.on('error', () => undefined)
    asking.end(body)
  })
  await expect.poll(async () => (await host.client().runs({ limit: 1 }))[0]?.state).toBe('completed')
  const [head] = await host.client().runs({ limit: 1 })
  const run = JSON.stringify(await host.client().run(head?.run ?? ''))
  expect(run).toContain('"ended":"client"')
  expect(run).not.toContain('k l "')
})
