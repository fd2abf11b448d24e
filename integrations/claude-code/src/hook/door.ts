import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What came of asking the server. */
export type Reply = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly why: string }

/** The one door: the server of the project, with the host's token. */
export interface Door {
  /** Waits `waitMs` longer than for other answers: for people. */
  post(path: string, body: unknown, waitMs?: number): Promise<Reply>
}

// As an ES module it costs 25 ms more: its exports are read one by one, and some of them load a whole WebSocket client.
const { request } = process.getBuiltinModule('node:http')

const MAX_REPLY_BYTES = 8 * 1_048_576
const MAX_TOKEN = 512
const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])$/

/**
 * Opens the door of a project. The address is where the server announced itself, the token is in a file that only this user reads; both are
 * read at every call, since the server may have been started again.
 *
 * The token goes to this machine only: an address elsewhere, which somebody could have written into the announcement, is not used.
 */
export function openDoor(project: string, host: string, answerMs: number): Door {
  return {
    post: async (path, body, waitMs = 0) => {
      const url = addressOf(project)
      if (url === undefined) return { ok: false, why: 'its server does not run. Start it with `tidegate up`' }
      const token = tokenOf(project, host)
      if (token === undefined)
        return {
          ok: false,
          why: `there is no token for "${host}". Start the server again: it makes one for every host of tidegate.yaml`,
        }
      return send(new URL(path, url), token, JSON.stringify(body), answerMs + waitMs)
    },
  }
}

function addressOf(project: string): URL | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(join(project, '.tidegate', 'server.json'), 'utf8'))
    if (typeof value !== 'object' || value === null || !('url' in value) || typeof value.url !== 'string') return undefined
    const url = new URL(value.url)
    return url.protocol === 'http:' && LOOPBACK.test(url.hostname) ? url : undefined
  } catch {
    return undefined
  }
}

function tokenOf(project: string, host: string): string | undefined {
  try {
    const text = readFileSync(join(project, '.tidegate', 'tokens', `host-${host}.token`), 'utf8').trim()
    return text.length <= MAX_TOKEN && /^[\x21-\x7e]+$/.test(text) ? text : undefined
  } catch {
    return undefined
  }
}

function send(url: URL, token: string, body: string, timeoutMs: number): Promise<Reply> {
  const { promise, resolve } = Promise.withResolvers<Reply>()
  const refuse = (why: string): void => resolve({ ok: false, why })
  const sent = request(url, {
    method: 'POST',
    agent: false,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      accept: 'application/json',
    },
  })
  const timer = setTimeout(() => {
    refuse(`it did not answer within ${Math.round(timeoutMs / 1_000)} s`)
    sent.destroy()
  }, timeoutMs)
  sent.once('response', (response) => {
    const chunks: Buffer[] = []
    let size = 0
    response.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= MAX_REPLY_BYTES) chunks.push(chunk)
      else sent.destroy(new Error('too large'))
    })
    response.once('end', () => resolve(understand(response.statusCode ?? 0, Buffer.concat(chunks).toString('utf8'))))
    response.once('error', () => refuse('the connection broke'))
  })
  sent.once('error', (error) =>
    refuse(`no answer (${'code' in error ? String(error.code) : 'broken'}). Start it with \`tidegate up\``),
  )
  sent.end(body)
  return promise.finally(() => clearTimeout(timer))
}

function understand(status: number, text: string): Reply {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { ok: false, why: `what answers there (status ${status}) is not Tidegate` }
  }
  if (status === 200) return { ok: true, value }
  const detail =
    typeof value === 'object' && value !== null && 'detail' in value && typeof value.detail === 'string' ? value.detail : ''
  return { ok: false, why: `it refused (status ${status})${detail === '' ? '' : `: ${detail}`}` }
}
