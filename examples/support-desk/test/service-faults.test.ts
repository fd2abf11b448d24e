import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type RunningDesk, startDesk } from '../service/start.ts'

const directory = mkdtempSync(join(tmpdir(), 'desk-faults-'))
let desk: RunningDesk

beforeAll(async () => {
  desk = await startDesk(directory, ['--seed', '--faults'])
})

afterAll(async () => {
  await desk.stop()
  rmSync(directory, { recursive: true })
})

const plan = (mode: string, more: object = {}) => desk.call('POST', '/faults', { match: 'POST /refunds', mode, ...more })
const orderOf = (reference: string) => ({ invoiceId: 'inv-5003', amountMinor: 100, reason: 'r', reference })
const refund = (reference: string) => desk.call('POST', '/refunds', orderOf(reference))
const raw = (reference: string, signal: AbortSignal | null = null) => {
  const headers = { authorization: `Bearer ${desk.token}`, 'content-type': 'application/json' }
  return fetch(`${desk.url}/refunds`, { method: 'POST', headers, body: JSON.stringify(orderOf(reference)), signal })
}
const effects = async (reference: string) => {
  const refunds = await desk.call('GET', `/refunds?reference=${reference}`)
  const calls = await desk.call('GET', `/calls?reference=${reference}`)
  return { refunds: Object.values(refunds.answer.items ?? {}).length, calls: calls.answer.items }
}

test.each([
  ['error-before', 0, 500],
  ['error-after', 1, 201],
])('%s answers 500 and leaves %i refunds', async (mode, refunds, status) => {
  await plan(mode)
  expect(await refund(mode)).toMatchObject({ status: 500, answer: { code: 'internal_error' } })
  expect(await effects(mode)).toMatchObject({ refunds, calls: [{ status }] })
})

test('drop-after does the work and cuts the connection', async () => {
  await plan('drop-after')
  await expect(raw('drop')).rejects.toThrow()
  expect(await effects('drop')).toMatchObject({ refunds: 1, calls: [{ status: 201 }] })
})

test('hang received the call, never works and never answers', async () => {
  await plan('hang')
  await expect(raw('hang', AbortSignal.timeout(150))).rejects.toMatchObject({ name: 'TimeoutError' })
  expect(await effects('hang')).toMatchObject({ refunds: 0, calls: [{ status: null }] })
})

test('slow works late, whether or not anybody waits for it', async () => {
  await plan('slow', { ms: 150, times: 2 })
  const began = performance.now()
  expect((await refund('slow')).status).toBe(201)
  expect(performance.now() - began).toBeGreaterThan(140)
  expect((await desk.call('GET', '/health')).status).toBe(200)
})

test('garbage and html are no JSON; the work is done', async () => {
  await desk.call('DELETE', '/faults')
  await plan('garbage')
  await plan('html')
  const garbage = await raw('garbage')
  expect(garbage.headers.get('content-type')).toBe('application/json')
  await expect(garbage.json()).rejects.toThrow(SyntaxError)
  const html = await raw('html')
  expect({ status: html.status, type: html.headers.get('content-type') }).toEqual({
    status: 200,
    type: 'text/html; charset=utf-8',
  })
  expect(await html.text()).toContain('sign in')
  expect(await effects('garbage')).toMatchObject({ refunds: 1 })
  expect(await effects('html')).toMatchObject({ refunds: 1 })
})

test('huge answers with 32 MiB, and a reader who leaves early does no harm', async () => {
  await plan('huge', { times: 2 })
  let sizeBytes = 0
  for await (const chunk of (await raw('huge')).body ?? []) sizeBytes += chunk.length
  expect(sizeBytes).toBeGreaterThan(32 * 1024 * 1024)
  await (await raw('huge')).body?.cancel()
  expect(await effects('huge')).toMatchObject({ refunds: 2 })
})

test('partial cuts a list in half, and matches a concrete path as well as a pattern', async () => {
  await desk.call('POST', '/faults', { match: 'GET /customers/:id/invoices', mode: 'partial' })
  const path = '/customers/c-103/invoices'
  expect((await desk.call('GET', path)).answer).toMatchObject({ complete: false, items: [{ id: 'inv-5003' }] })
  expect((await desk.call('GET', path)).answer).toMatchObject({ complete: true, items: [{}, {}] })
  await desk.call('POST', '/faults', { match: 'GET /invoices/inv-5004', mode: 'partial' })
  expect((await desk.call('GET', '/invoices/inv-5003')).answer).not.toHaveProperty('complete')
  expect((await desk.call('GET', '/invoices/inv-5004')).answer).toMatchObject({ id: 'inv-5004', complete: false })
})

test('a fault strikes as often as planned, can be cleared, and must be a known one', async () => {
  await plan('error-before', { times: 2 })
  expect([(await refund('t')).status, (await refund('t')).status, (await refund('t')).status]).toEqual([500, 500, 201])
  await plan('error-before')
  await desk.call('DELETE', '/faults')
  expect((await refund('t')).status).toBe(201)
  expect(await plan('explode')).toMatchObject({ status: 400, answer: { code: 'invalid_field' } })
})

test('a hanging call does not keep the process from ending', async () => {
  const own = mkdtempSync(join(tmpdir(), 'desk-hang-'))
  const other = await startDesk(own, ['--seed', '--faults'])
  onTestFinished(async () => {
    await other.stop('SIGKILL')
    rmSync(own, { recursive: true })
  })
  await other.call('POST', '/faults', { match: 'GET /tickets', mode: 'hang' })
  await other.call('POST', '/faults', { match: 'GET /refunds', mode: 'slow', ms: 60_000 })
  const cut = Promise.allSettled([other.call('GET', '/tickets'), other.call('GET', '/refunds')])
  await other.call('GET', '/health')
  const began = performance.now()
  expect(await other.stop()).toMatchObject({ code: 0 })
  expect(performance.now() - began).toBeLessThan(5000)
  expect((await cut).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
})
