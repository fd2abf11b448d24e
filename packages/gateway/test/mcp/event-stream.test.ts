import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { openEventStream } from '../../src/mcp/event-stream.ts'

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

/** A response to a client that reads, or does not. */
async function responseTo(reads: boolean): Promise<{ readonly response: ServerResponse; readonly text: () => string }> {
  const { promise, resolve } = Promise.withResolvers<ServerResponse>()
  server = createServer((_, response) => resolve(response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  let text = ''
  const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'))
  socket.on('error', () => undefined)
  if (reads) {
    socket.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
    })
  } else socket.pause()
  return { response: await promise, text: () => text }
}

describe('a stream of events', () => {
  test('has one event per message, and nothing that somebody could keep', async () => {
    const { response, text } = await responseTo(true)
    const stream = openEventStream(response, { 'mcp-session-id': 'x' })
    stream.send({ text: 'two\nlines\n\ndata: no event' })
    stream.end()
    await expect.poll(text).toContain('\r\n0\r\n')
    expect(text()).toContain('event: message\ndata: {"text":"two\\nlines\\n\\ndata: no event"}\n\n')
    for (const header of [
      'mcp-session-id: x',
      'content-type: text/event-stream',
      'cache-control: no-store',
      'x-accel-buffering: no',
    ])
      expect(text().toLowerCase()).toContain(header)
  })

  test('ends for a client that does not read, before it costs ever more memory', async () => {
    const { response } = await responseTo(false)
    const stream = openEventStream(response, {})
    const message = { text: 'x'.repeat(65_536) }
    let sent = 0
    for (; sent < 1_000 && !response.destroyed; sent += 1) {
      stream.send(message)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(response.destroyed).toBe(true)
    expect(sent).toBeLessThan(400)
    stream.send(message)
    stream.end()
  })
})
