import { createServer, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** A provider that speaks the real wire formats, and breaks every rule on request: the model that is asked for says how. */
export interface FakeProvider {
  readonly url: string
  /** What it was asked: the head of the request, and the body. */
  readonly asked: readonly { readonly head: string; readonly body: string }[]
  /** Connections that were closed on it before it had ended its reply. */
  readonly left: number
  close(): Promise<void>
}

type Behaviour = (socket: Socket, asked: { readonly head: string; readonly body: string }) => void | Promise<void>

const JSON_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req-1\r\nset-cookie: a=b\r\n'
const STREAM_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nconnection: close\r\n\r\n'

function whole(socket: Socket, body: string | object, head = JSON_HEAD): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  socket.end(`${head}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)
}

const data = (event: object): string => `data: ${JSON.stringify(event)}\n\n`
const named = (event: { readonly type: string }): string => `event: ${event.type}\n${data(event)}`
const delta = (more: object, finish: string | null = null): string =>
  data({ id: 'c1', object: 'chat.completion.chunk', model: 'm-1', choices: [{ index: 0, delta: more, finish_reason: finish }] })
const USAGE = { prompt_tokens: 12, completion_tokens: 5, total_tokens: 17, prompt_tokens_details: { cached_tokens: 4 } }

/** A streamed reply of OpenAI with a tool call whose arguments come in parts, and a word that a careless cut splits. */
export const OPENAI_EVENTS: readonly string[] = [
  delta({ role: 'assistant', content: '' }),
  delta({ content: 'Größe 漢字 ' }),
  delta({ content: '🎈.' }),
  delta({ tool_calls: [{ index: 0, id: 't1', type: 'function', function: { name: 'look', arguments: '{"at":' } }] }),
  delta({ tool_calls: [{ index: 0, function: { arguments: '"a"}' } }] }),
  delta({}, 'tool_calls'),
]
export const OPENAI_USAGE = data({ id: 'c1', object: 'chat.completion.chunk', choices: [], usage: USAGE })

export const ANTHROPIC_EVENTS: readonly string[] = [
  named({
    type: 'message_start',
    message: {
      id: 'm1',
      role: 'assistant',
      model: 'm-1',
      content: [],
      usage: { input_tokens: 10, cache_read_input_tokens: 100, cache_creation_input_tokens: 7, output_tokens: 1 },
    },
  } as { type: string }),
  named({ type: 'ping' }),
  named({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } } as { type: string }),
  named({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Größe 🎈' } } as { type: string }),
  named({ type: 'content_block_stop', index: 0 } as { type: string }),
  named({
    type: 'content_block_start',
    index: 1,
    content_block: { type: 'tool_use', id: 't1', name: 'look', input: {} },
  } as { type: string }),
  named({ type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"at":' } } as {
    type: string
  }),
  named({ type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '"a"}' } } as { type: string }),
  named({ type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 42 } } as { type: string }),
  named({ type: 'message_stop' }),
]

/** All of a stream in pieces of a few bytes, so that every event and every character is cut somewhere. */
async function drip(socket: Socket, text: string, size: number): Promise<void> {
  socket.write(STREAM_HEAD)
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length && !socket.destroyed; at += size) {
    socket.write(bytes.subarray(at, at + size))
    if (at % (size * 16) === 0) await pause(1)
  }
  socket.end()
}

const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  plain: (socket) =>
    whole(socket, {
      id: 'c1',
      choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
      usage: USAGE,
    }),
  split: (socket, { body }) =>
    drip(socket, [...OPENAI_EVENTS, ...(body.includes('include_usage') ? [OPENAI_USAGE] : []), 'data: [DONE]\n\n'].join(''), 3),
  crlf: (socket) => drip(socket, [...OPENAI_EVENTS, OPENAI_USAGE].join('').replaceAll('\n', '\r\n'), 5),
  'no-usage': (socket) => drip(socket, OPENAI_EVENTS.join(''), 50),
  'bad-usage': (socket) =>
    whole(socket, { choices: [], usage: { prompt_tokens: -5, completion_tokens: 1e300, prompt_tokens_details: 'x' } }),
  garbage: (socket) => drip(socket, 'data: {"choices": 7}\n\ndata: {broken\n\n\u0000\u0001\n\nevent: x\n\n: comment\n\n', 4),
  'not-json': (socket) => whole(socket, 'this is no JSON at all'),
  'one-line': async (socket) => {
    socket.write(STREAM_HEAD)
    for (let i = 0; i < 40 && !socket.destroyed; i++) {
      socket.write('x'.repeat(65_536))
      await pause(1)
    }
    socket.end(`\n\n${OPENAI_USAGE}`)
  },
  'too-many': (socket) =>
    whole(
      socket,
      { error: { message: 'slow down' } },
      'HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\nretry-after: 7\r\n',
    ),
  'bad-key': (socket, { head }) =>
    whole(
      socket,
      { error: { message: `Incorrect API key provided: ${/bearer (\S+)/i.exec(head)?.[1]}` } },
      'HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\n',
    ),
  'echo-key': (socket, { head }) => {
    const key = /bearer (\S+)/i.exec(head)?.[1] ?? ''
    whole(
      socket,
      { error: { message: `no: ${key} or ${key.slice(0, 6)}***${key.slice(-4)}` } },
      'HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n',
    )
  },
  'huge-error': (socket) =>
    whole(socket, 'x'.repeat(200_000), 'HTTP/1.1 500 Internal Server Error\r\ncontent-type: text/plain\r\n'),
  redirect: (socket) => whole(socket, '', 'HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:9/steal\r\n'),
  hang: () => undefined,
  'hang-inside': (socket) => void socket.write(`${STREAM_HEAD}${OPENAI_EVENTS[0]}${OPENAI_EVENTS[1]}`),
  cut: (socket) => {
    socket.write(`${JSON_HEAD}content-length: 500\r\n\r\n{"choices":`)
    setTimeout(() => socket.resetAndDestroy(), 20)
  },
  'cut-anthropic': (socket) => {
    const chunk = Buffer.from(ANTHROPIC_EVENTS.slice(0, 4).join(''))
    socket.write(`${STREAM_HEAD.replace('connection: close', 'transfer-encoding: chunked')}${chunk.length.toString(16)}\r\n`)
    socket.write(chunk)
    setTimeout(() => socket.resetAndDestroy(), 20)
  },
  huge: async (socket) => {
    socket.write(STREAM_HEAD)
    const block = delta({ content: 'y'.repeat(60_000) })
    while (!socket.destroyed) {
      if (!socket.write(block)) await pause(1)
    }
  },
  messages: (socket) => drip(socket, ANTHROPIC_EVENTS.join(''), 7),
  message: (socket) =>
    whole(socket, {
      type: 'message',
      content: [
        { type: 'text', text: 'hello' },
        { type: 'tool_use', id: 't', name: 'look', input: { at: 'a' } },
      ],
      stop_reason: 'end_turn',
      usage: { input_tokens: 3, output_tokens: 4 },
    }),
  count: (socket) => whole(socket, { input_tokens: 99 }),
}

export async function startFakeProvider(): Promise<FakeProvider> {
  const asked: { head: string; body: string }[] = []
  const sockets = new Set<Socket>()
  let left = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => {
      sockets.delete(socket)
      if (!socket.writableFinished) left++
    })
    let text = ''
    let isAnswered = false
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      const end = text.indexOf('\r\n\r\n')
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0)
      if (isAnswered || end === -1 || text.length < end + 4 + length) return
      isAnswered = true
      const one = { head: text.slice(0, end), body: Buffer.from(text.slice(end + 4), 'latin1').toString('utf8') }
      asked.push(one)
      if (one.head.startsWith('GET')) return whole(socket, { object: 'list', data: [{ id: 'plain' }] })
      const how = one.head.includes('count_tokens') ? 'count' : String((JSON.parse(one.body) as { model?: unknown }).model)
      void (BEHAVIOURS[how] ?? BEHAVIOURS.plain)?.(socket, one)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    get left() {
      return left
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
