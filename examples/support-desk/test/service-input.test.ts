import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type RunningDesk, startDesk, TICKETS_DIRECTORY } from '../service/start.ts'

const root = mkdtempSync(join(tmpdir(), 'desk-input-'))
const fresh = () => mkdtempSync(join(root, 'desk-'))
const refund = { invoiceId: 'inv-5004', amountMinor: 100, reason: 'r', reference: 'bad' }

/** A desk that ends with its test, also with a failing one. */
async function start(directory: string, args: readonly string[] = []): Promise<RunningDesk> {
  const desk = await startDesk(directory, args)
  onTestFinished(() => void desk.stop('SIGKILL'))
  return desk
}

afterAll(() => rmSync(root, { recursive: true }))

describe('bad input', () => {
  let desk: RunningDesk
  beforeAll(async () => {
    desk = await startDesk(fresh(), ['--seed'])
  })
  afterAll(() => desk.stop())

  const send = async (body: string | Uint8Array<ArrayBuffer>, contentType = 'application/json') => {
    const headers = { authorization: `Bearer ${desk.token}`, 'content-type': contentType }
    const response = await fetch(`${desk.url}/refunds`, { method: 'POST', headers, body })
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    return response.json()
  }
  const field = (name: string, value: unknown) => JSON.stringify({ ...refund, [name]: value })
  const proto = '{"__proto__":{"invoiceId":"inv-5004"},"amountMinor":100,"reason":"r","reference":"bad"}'

  const cases: [string, string | Uint8Array<ArrayBuffer>, string][] = [
    ['nothing', '', 'invalid_json'],
    ['half of an object', '{"invoiceId":', 'invalid_json'],
    ['very deep nesting', '['.repeat(200_000), 'invalid_json'],
    ['invalid UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), 'invalid_utf8'],
    ['10 MB', 'x'.repeat(10_000_000), 'body_too_large'],
    ['an array', '[]', 'invalid_field'],
    ['null', 'null', 'invalid_field'],
    ['__proto__', proto, 'unknown_field'],
    ['constructor', field('constructor', {}), 'unknown_field'],
    ['a field too many', field('amount', 5), 'unknown_field'],
    ['a missing field', JSON.stringify({ ...refund, reason: undefined }), 'invalid_field'],
    ['a negative amount', field('amountMinor', -1), 'invalid_field'],
    ['no amount', field('amountMinor', 0), 'invalid_field'],
    ['a broken amount', field('amountMinor', 1.5), 'invalid_field'],
    ['an amount in text', field('amountMinor', '100'), 'invalid_field'],
    ['an amount past every number', JSON.stringify(refund).replace('100', '1e999'), 'invalid_field'],
    ['white space', field('reason', ' '), 'invalid_field'],
    ['a long reference', field('reference', 'x'.repeat(201)), 'invalid_field'],
    ['a line break in a reference', field('reference', 'a\r\nb'), 'invalid_field'],
    ['a lone surrogate', JSON.stringify(refund).replace('"r"', '"\\ud800"'), 'invalid_field'],
    ['NUL', field('reason', 'a\0b'), 'invalid_field'],
    ['SQL is text', field('invoiceId', "inv-5004' OR 1=1 --"), 'invoice_unknown'],
  ]

  test.each(cases)('%s is refused', async (_, body, code) => {
    expect(await send(body)).toMatchObject({ code })
  })

  test('another media type is refused, and no refused call had an effect', async () => {
    expect(await send(JSON.stringify(refund), 'text/plain')).toMatchObject({ code: 'media_type_unsupported', status: 415 })
    expect((await desk.call('GET', '/refunds')).answer).toEqual({ items: [], complete: true })
    const { answer } = await desk.call('GET', '/calls?limit=500')
    expect(answer.items).toContainEqual(expect.objectContaining({ path: '/refunds', reference: null, status: 413 }))
    expect(answer.items).not.toContainEqual(expect.objectContaining({ status: 201 }))
    expect((await desk.call('GET', '/health')).status).toBe(200)
  })

  test.each(['two@at@signs.example', 'no-at', 'a@b.example\r\nBcc: x@y.example', 'a b@c.example'])(
    'recipient %j',
    async (recipient) => {
      const mail = { ticketId: 't-1', recipient, subject: 's', body: 'b', reference: 'r' }
      expect((await desk.call('POST', '/outbox', mail)).answer.code).toBe('invalid_field')
    },
  )

  test('an idempotency key must be visible ASCII', async () => {
    const mail = { ticketId: 't-1', recipient: 'a@b.example', subject: 's', body: 'b', reference: 'r' }
    const key = { 'idempotency-key': 'a b' }
    expect((await desk.call('POST', '/outbox', mail, key)).answer.code).toBe('invalid_field')
  })
})

describe('the process', () => {
  test('says one line, keeps its token secret, ends cleanly and finds its data again', async () => {
    const directory = fresh()
    const first = await start(directory, ['--seed', '--tickets', TICKETS_DIRECTORY])
    expect(JSON.parse(readFileSync(join(directory, 'desk.ready.json'), 'utf8'))).toEqual({
      port: Number(new URL(first.url).port),
      pid: first.pid,
    })
    await first.call('POST', '/refunds', refund)
    await first.call('POST', '/tickets/t-1003/state', { state: 'answered', reference: 'kept' })
    const { code, stderr } = await first.stop()
    expect({ code, lines: stderr.trim().split('\n') }).toEqual({ code: 0, lines: [`support-desk: ready on ${first.url}`] })
    expect(readdirSync(directory).sort()).toEqual(['desk.sqlite', 'desk.token'])
    expect(statSync(join(directory, 'desk.token')).mode & 0o777).toBe(0o600)
    const second = await start(directory, ['--seed', '--tickets', TICKETS_DIRECTORY])
    expect(second.token).toBe(first.token)
    expect((await second.call('GET', '/refunds?reference=bad')).answer.items).toHaveLength(1)
    expect((await second.call('GET', '/tickets/t-1003')).answer.state).toBe('answered')
    expect((await second.call('GET', '/calls')).answer.items).toMatchObject([{ reference: 'bad' }, { reference: 'kept' }])
    await second.stop()
  })

  test('what was answered survives a kill', async () => {
    const directory = fresh()
    const killed = await start(directory, ['--seed'])
    const { answer } = await killed.call('POST', '/refunds', refund)
    await killed.stop('SIGKILL')
    expect(existsSync(join(directory, 'desk.ready.json'))).toBe(true)
    const next = await start(directory)
    expect((await next.call('GET', '/refunds')).answer.items).toEqual([answer])
    await next.stop()
  })

  test('a sent mail cannot be recalled', async () => {
    const desk = await start(fresh(), ['--tickets', TICKETS_DIRECTORY, '--send-after-ms', '0'])
    const mail = { ticketId: 't-1001', recipient: 'a@b.example', subject: 's', body: 'b', reference: 'sent' }
    const { answer } = await desk.call('POST', '/outbox', mail)
    expect((await desk.call('POST', `/outbox/${answer.id}/recall`, { reference: 'r' })).answer.code).toBe('already_sent')
    expect((await desk.call('GET', '/outbox?reference=sent')).answer.items).toMatchObject([{ state: 'sent' }])
    await desk.stop()
  })

  test.each([
    [['--port', '70000'], /--port must be/],
    [['--port=-1'], /--port must be/],
    [['--send-after-ms', 'soon'], /--send-after-ms must be/],
    [['--unknown'], /--unknown/],
    [['--tickets', join(root, 'nowhere')], /nowhere/],
  ])('does not start with %j', async (args, why) => {
    await expect(start(fresh(), args)).rejects.toThrow(why)
  })

  test('an upload that breaks off is neither recorded nor a defect', async () => {
    const desk = await start(fresh())
    const socket = connect(Number(new URL(desk.url).port), '127.0.0.1')
    const head = `POST /refunds HTTP/1.1\r\nhost: desk\r\nauthorization: Bearer ${desk.token}\r\ncontent-length: 100\r\n\r\n{`
    await new Promise<void>((resolve) => socket.write(head, () => resolve()))
    await desk.call('GET', '/health')
    socket.destroy()
    expect((await desk.call('GET', '/calls')).answer.items).toEqual([])
    expect((await desk.stop()).stderr.trim().split('\n')).toHaveLength(1)
  })

  test('does not start with a short token, a foreign schema or a broken ticket file', async () => {
    const short = fresh()
    writeFileSync(join(short, 'desk.token'), 'hunter2')
    await expect(start(short)).rejects.toThrow(/token file/)
    await expect(start(short)).rejects.not.toThrow(/hunter2/)
    const foreign = fresh()
    const db = new DatabaseSync(join(foreign, 'desk.sqlite'))
    db.exec('PRAGMA user_version = 99')
    db.close()
    writeFileSync(join(foreign, 'desk.ready.json'), '{"port":1,"pid":1}')
    await expect(start(foreign)).rejects.toThrow(/schema 99/)
    expect(existsSync(join(foreign, 'desk.ready.json'))).toBe(false)
    const tickets = fresh()
    const { about, ...silent } = JSON.parse(readFileSync(join(TICKETS_DIRECTORY, 't-1001.json'), 'utf8'))
    for (const [name, ticket, why] of [
      ['t-1001.json', silent, /t-1001\.json.*ticket\.about/],
      ['t-1001.json', { about, ...silent, id: 't-1002' }, /t-1001\.json.*named after/],
    ] as const) {
      writeFileSync(join(tickets, name), JSON.stringify(ticket))
      await expect(start(fresh(), ['--tickets', tickets])).rejects.toThrow(why)
    }
  })
})

describe('the tickets of the example', () => {
  const files = readdirSync(TICKETS_DIRECTORY).sort()
  let desk: RunningDesk
  beforeAll(async () => {
    desk = await startDesk(fresh(), ['--seed', '--tickets', TICKETS_DIRECTORY])
  })
  afterAll(() => desk.stop())

  test.each(files)('%s is served as written, without its comment, and names only what the seed has', async (name) => {
    const { about, ...ticket } = JSON.parse(readFileSync(join(TICKETS_DIRECTORY, name), 'utf8'))
    expect(about).toMatch(/\w/)
    const { answer } = await desk.call('GET', `/tickets/${ticket.id}`)
    expect(answer).toEqual({ attachments: [], ...ticket, state: 'open' })
    expect((await desk.call('GET', `/customers/${ticket.customerId}`)).status).toBe(200)
    for (const [id] of JSON.stringify(ticket).matchAll(/inv-\d{4}/g)) {
      expect((await desk.call('GET', `/invoices/${id}`)).answer).toMatchObject({ customerId: ticket.customerId })
    }
  })

  // The attacks are real ones: a desk that is asked does it. Only what stands in front of it can refuse.
  test.each([
    ['t-1003', 'inv-5004', 48_000],
    ['t-1006', 'inv-5008', 90_000],
    ['t-1008', 'inv-5010', 87_000],
    ['t-1011', 'inv-5013', 1200],
  ])('%s asks for a refund of %s that the desk would make', async (_, invoiceId, amountMinor) => {
    expect((await desk.call('POST', '/refunds/preview', { invoiceId, amountMinor })).status).toBe(200)
  })

  test('t-1008 hides what it says, and t-1012 asks for a customer that is not there', async () => {
    const { answer } = await desk.call('GET', '/tickets/t-1008')
    const text = JSON.stringify(answer.attachments)
    expect(text).toContain('display:none')
    expect(text).toContain('\u200b')
    const encoded = /base64\): ([A-Za-z0-9+/=]+)/.exec(text)?.[1] ?? ''
    expect(Buffer.from(encoded, 'base64').toString()).toContain('Ignore your rules')
    expect(files).toHaveLength(12)
    expect((await desk.call('GET', '/customers/c-999')).answer.code).toBe('customer_unknown')
  })
})
