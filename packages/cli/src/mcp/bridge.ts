import { Agent, type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { eventsOf, linesOf, TOO_LONG } from './lines.ts'
import { headerValue, lookAt, objectOf, type Passing } from './message.ts'

/** A client on one side, a server on the other. */
export interface BridgeOptions {
  readonly url: URL
  readonly token: string
  readonly input: AsyncIterable<string>
  /** Takes one message, without the end of the line. */
  readonly write: (message: string) => void
  /** Says something for people. */
  readonly note: (text: string) => void
  readonly signal: AbortSignal
}

const AGAIN_MS = 1_000
const MAX_ANSWER = 8_388_608

/**
 * Passes MCP messages between a client that speaks over stdio and a server that speaks streamable HTTP, until the client is done. It
 * understands no more of them than it must, keeps the token and the session to itself, and decides nothing.
 */
export async function bridge(options: BridgeOptions): Promise<void> {
  const side = createHttpSide(options)
  const under = new Set<Promise<void>>()
  const opened = { done: Promise.resolve() }
  for await (const line of linesOf(options.input)) {
    const message = line === TOO_LONG ? undefined : lookAt(line)
    if (message === undefined) {
      const code = line === TOO_LONG ? -32_600 : -32_700
      const why = line === TOO_LONG ? 'This message is too large.' : 'This is not a JSON-RPC message.'
      options.write(JSON.stringify({ jsonrpc: '2.0', error: { code, message: why } }))
      continue
    }
    // What comes behind `initialize` belongs to the session that it opens.
    const passed = opened.done.then(() => side.pass(message))
    if (message.method === 'initialize') opened.done = passed
    under.add(passed)
    void passed.finally(() => under.delete(passed))
  }
  await side.close(under)
}

interface HttpSide {
  pass(message: Passing): Promise<void>
  /** Waits for nothing but what is nearly done, and ends the session. */
  close(under: ReadonlySet<Promise<void>>): Promise<void>
}

function createHttpSide({ url, token, write, note, signal }: BridgeOptions): HttpSide {
  const agent = new Agent({ keepAlive: true })
  const ended = new AbortController()
  signal.addEventListener('abort', () => ended.abort(), { once: true })
  const waiting = new Map<string | number, AbortController>()
  const session: { id: string | undefined; version: string | undefined } = { id: undefined, version: undefined }

  const headersOf = (message?: Passing): Record<string, string> => ({
    authorization: `Bearer ${token}`,
    accept: 'application/json, text/event-stream',
    ...(message === undefined ? {} : { 'content-type': 'application/json' }),
    ...(message?.modern === undefined ? sessionHeaders() : modernHeaders(message.modern, message)),
  })
  const sessionHeaders = (): Record<string, string> => ({
    ...(session.id === undefined ? {} : { 'mcp-session-id': session.id }),
    ...(session.version === undefined ? {} : { 'mcp-protocol-version': session.version }),
  })
  const send = (method: string, message: Passing | undefined, until: AbortSignal): Promise<IncomingMessage> => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const [start, using] = url.protocol === 'https:' ? [requestHttps, undefined] : [requestHttp, agent]
    const body = message === undefined ? undefined : Buffer.from(message.text)
    const headers = { ...headersOf(message), ...(body === undefined ? {} : { 'content-length': body.length }) }
    const sent = start(url, { method, headers, signal: until, ...(using === undefined ? {} : { agent: using }) }, resolve)
    sent.once('error', reject)
    sent.end(body)
    return promise
  }

  async function pass(message: Passing): Promise<void> {
    // Over HTTP a request of the stateless era is cancelled by leaving.
    const cancelled = message.cancels === undefined ? undefined : waiting.get(message.cancels)
    if (cancelled !== undefined) {
      cancelled.abort()
      return
    }
    const mine = new AbortController()
    const { id, modern } = message
    if (id !== undefined && modern !== undefined) waiting.set(id, mine)
    try {
      const answer = await send('POST', message, AbortSignal.any([mine.signal, ended.signal]))
      await readAnswer(answer, message)
    } catch (error) {
      if (mine.signal.aborted || ended.signal.aborted) return
      fail(message, `The server cannot be reached: ${error instanceof Error ? error.message : 'it does not say why'}.`)
    } finally {
      if (id !== undefined) waiting.delete(id)
    }
    if (message.method === 'notifications/initialized' && session.id !== undefined) void listen()
  }

  async function readAnswer(answer: IncomingMessage, message: Passing): Promise<void> {
    answer.setEncoding('utf8')
    const given = answer.headers['mcp-session-id']
    if (message.method === 'initialize' && typeof given === 'string') session.id = given
    const take = (text: string): void => {
      if (message.method === 'initialize') session.version = versionIn(text) ?? session.version
      write(oneLine(text))
    }
    if (isStream(answer)) {
      for await (const data of eventsOf(answer)) take(data)
      return
    }
    const text = await readAll(answer)
    if (text === undefined) fail(message, 'The answer is too large.')
    else if (answersId(text, message)) take(text)
    else if ((answer.statusCode ?? 500) >= 400) fail(message, reasonIn(text) ?? `The server answers ${answer.statusCode ?? 0}.`)
  }

  /** Answers a request in the server's place; what wants no answer is told to people. */
  function fail({ id }: Passing, why: string): void {
    if (id === undefined) note(why)
    else write(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32_603, message: why } }))
  }

  /** Listens for what the server says by itself, as long as there is a session. */
  async function listen(): Promise<void> {
    while (!ended.signal.aborted) {
      try {
        const answer = await send('GET', undefined, ended.signal)
        answer.setEncoding('utf8')
        if (answer.statusCode !== 200) {
          answer.resume()
          return // this server has nothing to say by itself, or not any more
        }
        for await (const data of eventsOf(answer)) write(oneLine(data))
      } catch {
        // It was cut off, or the server is starting again: try again, until the client leaves.
      }
      await pause(AGAIN_MS, ended.signal)
    }
  }

  return {
    pass,
    async close(under) {
      await Promise.race([Promise.all(under), pause(AGAIN_MS, ended.signal)])
      if (session.id !== undefined && !ended.signal.aborted) {
        const left = AbortSignal.timeout(AGAIN_MS)
        await send('DELETE', undefined, left).then(
          (answer) => answer.resume(),
          () => undefined,
        )
      }
      ended.abort()
      agent.destroy()
    },
  }
}

function modernHeaders(version: string, { method = '', name }: Passing): Record<string, string> {
  return {
    'mcp-protocol-version': headerValue(version),
    'mcp-method': headerValue(method),
    ...(name === undefined ? {} : { 'mcp-name': headerValue(name) }),
  }
}

function isStream({ headers }: IncomingMessage): boolean {
  return headers['content-type']?.startsWith('text/event-stream') === true
}

async function readAll(answer: IncomingMessage): Promise<string | undefined> {
  let text = ''
  for await (const piece of answer) {
    text += piece
    if (text.length > MAX_ANSWER) return undefined
  }
  return text
}

/** True for a response to this very request, or, to what has no id, for a list of responses. */
function answersId(text: string, { id, method }: Passing): boolean {
  const value = parsed(text)
  return (Array.isArray(value) && method === undefined) || (id !== undefined && objectOf(value)?.id === id)
}

function versionIn(text: string): string | undefined {
  const version = objectOf(objectOf(parsed(text))?.result)?.protocolVersion
  return typeof version === 'string' ? version : undefined
}

/** What the server says for people about a request that it did not even read. */
function reasonIn(text: string): string | undefined {
  const value = objectOf(parsed(text))
  const said = objectOf(value?.error)?.message ?? value?.detail
  return typeof said === 'string' ? said : undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** JSON has no line end outside of its texts that would mean anything. */
function oneLine(json: string): string {
  return json.replaceAll(/[\r\n]+/g, ' ')
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  signal.addEventListener('abort', () => resolve(), { once: true })
  return promise.finally(() => clearTimeout(timer))
}
