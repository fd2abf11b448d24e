import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readMessages, writeMessages } from './anthropic-messages.ts'
import { readChat, writeChat } from './chat-completions.ts'
import { type Asked, nextTurn, type Played, type Turn } from './script.ts'

/**
 * A model that does what a script says: on 127.0.0.1, in the Messages API of Anthropic (`/v1/messages`) and the chat completions of OpenAI
 * (`/v1/chat/completions`). A host that is proved gets it instead of its own, so that it makes the calls that are to be seen.
 */
export interface ScriptedModel {
  /** Without a path. */
  readonly url: string
  /** Takes a script, and answers the word that starts it when a person says it in a conversation. */
  play(turns: readonly Turn[]): string
  /** The tools that the host offered in the conversation of a script; empty before it was asked anything. */
  offered(word: string): readonly string[]
  /** What tools have answered there, as the model was told. */
  results(word: string): readonly string[]
  /** How often the host has asked it anything. */
  requests(): number
  close(): Promise<void>
}

const MAX_BODY = 32 * 1_048_576
const OVER: Turn = [{ say: 'done' }]
const MODELS = { object: 'list', data: [{ id: 'scripted', object: 'model' }] }

/** Starts a scripted model on a free port. */
export async function openScriptedModel(): Promise<ScriptedModel> {
  const scripts = new Map<string, Played>()
  let requests = 0

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').split('?', 1)[0] ?? ''
    if (path.endsWith('/models')) return writeJson(response, 200, MODELS)
    const dialect = path.endsWith('/chat/completions') ? CHAT : path.endsWith('/messages') ? MESSAGES : undefined
    if (dialect === undefined || request.method !== 'POST') return writeJson(response, 404, NOT_HERE)
    const body = await readBody(request)
    if (body === undefined) return writeJson(response, 400, NOT_HERE)
    requests++
    const asked = dialect.read(body)
    response.writeHead(200, { 'content-type': asked.stream ? 'text/event-stream' : 'application/json' })
    response.end(dialect.write(asked, turnOf(asked)).join(''))
  }

  /** A conversation in which no tools are offered is a side one: a title, a summary. */
  function turnOf(asked: Asked): Turn {
    const next = asked.tools.length === 0 ? undefined : nextTurn(asked, scripts)
    if (next === undefined) return OVER
    const { played, turn, results } = next
    if (!played.isOver) {
      played.offered = asked.tools
      played.results = results
    }
    if (turn === undefined) played.isOver = true
    return turn ?? OVER
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo // sound: it listens on TCP
  return {
    url: `http://127.0.0.1:${port}`,
    play(turns) {
      const word = `tidegate-script-${randomBytes(8).toString('hex')}`
      scripts.set(word, { turns, offered: [], results: [], isOver: false })
      return word
    },
    offered: (word) => scripts.get(word)?.offered ?? [],
    results: (word) => scripts.get(word)?.results ?? [],
    requests: () => requests,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const CHAT = { read: readChat, write: writeChat }
const MESSAGES = { read: readMessages, write: writeMessages }
const NOT_HERE = { type: 'error', error: { type: 'not_found_error', message: 'This model only follows a script.' } }

function writeJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(value))
}

async function readBody(request: IncomingMessage): Promise<Readonly<Record<string, unknown>> | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    const bytes = chunk as Buffer // sound: no encoding was set
    size += bytes.length
    if (size > MAX_BODY) return undefined
    chunks.push(bytes)
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}
