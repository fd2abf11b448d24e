import type { ServerResponse } from 'node:http'

/** Server-sent events to one client. Never resumed: what was not read is lost, and every event can be asked for again. */
export interface EventStream {
  send(message: object): void
  end(): void
}

/** So much may wait for a client that does not read; then it is cut off. */
const MAX_WAITING_BYTES = 4_194_304
/** A comment so often, so that nothing in between closes a quiet stream. */
const KEEP_ALIVE_MS = 15_000

/** Opens the stream: the headers go out now. */
export function openEventStream(response: ServerResponse, headers: Readonly<Record<string, string>>): EventStream {
  response.writeHead(200, {
    ...headers,
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-accel-buffering': 'no',
  })
  response.flushHeaders()
  const write = (text: string): void => {
    if (response.destroyed || response.writableEnded) return
    if (response.writableLength > MAX_WAITING_BYTES) response.destroy()
    else response.write(text)
  }
  const timer = setInterval(() => write(': still here\n\n'), KEEP_ALIVE_MS)
  timer.unref()
  response.once('close', () => clearInterval(timer))
  return {
    send: (message) => write(`event: message\ndata: ${JSON.stringify(message)}\n\n`),
    end() {
      clearInterval(timer)
      response.end()
    },
  }
}
