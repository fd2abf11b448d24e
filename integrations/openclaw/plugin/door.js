import { Agent as PlainAgent, request as plainRequest } from 'node:http'
import { Agent as SecureAgent, request as secureRequest } from 'node:https'
import { readToken } from './files.js'

/** The longest answer that is read. */
const MAX_ANSWER_BYTES = 4_194_304
const KEEP_ALIVE = { keepAlive: true, keepAliveMsecs: 10_000, maxFreeSockets: 8 }

/**
 * Creates the way to the server: connections stay open between calls.
 *
 * `send(path, body, { timeoutMs, signal })` resolves to `{ status, body }` with the parsed answer, and rejects for everything else: no
 * connection, no answer in time, an answer that is too large or no JSON. Nothing it throws holds the token.
 */
export function createDoor({ endpoint, tokenFile }) {
  const secure = endpoint.protocol === 'https:'
  const agent = secure ? new SecureAgent(KEEP_ALIVE) : new PlainAgent(KEEP_ALIVE)
  const open = secure ? secureRequest : plainRequest

  function attempt(path, text, { timeoutMs, signal }, connection = agent) {
    return new Promise((resolve, reject) => {
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
        accept: 'application/json',
        authorization: `Bearer ${readToken(tokenFile)}`,
      }
      const request = open(new URL(path, endpoint), { method: 'POST', agent: connection, headers })
      const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
      const stop = () => request.destroy(new Error('the call was cancelled'))
      const end = (settle, value) => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', stop)
        settle(value)
      }
      if (signal?.aborted) stop()
      else signal?.addEventListener('abort', stop, { once: true })
      request.on('error', (error) => end(reject, Object.assign(error, { stale: request.reusedSocket && isHangUp(error) })))
      request.on('response', (response) => {
        readBody(response).then(
          (body) => end(resolve, { status: response.statusCode, body }),
          (error) => end(reject, error),
        )
      })
      request.end(text)
    })
  }

  return {
    async send(path, body, options) {
      const text = JSON.stringify(body)
      try {
        return await attempt(path, text, options)
      } catch (error) {
        // An open connection may have been closed by the far side just now. The same call twice is one call.
        if (error.stale !== true) throw error
        return await attempt(path, text, options, false) // over a new connection: others may be just as old
      }
    },
    close() {
      agent.destroy()
    },
  }
}

function isHangUp(error) {
  return error.code === 'ECONNRESET' || error.code === 'EPIPE'
}

function readBody(response) {
  return new Promise((resolve, reject) => {
    const parts = []
    let size = 0
    response.on('data', (part) => {
      size += part.length
      if (size > MAX_ANSWER_BYTES) response.destroy(new Error('the answer is too large'))
      else parts.push(part)
    })
    response.on('error', reject)
    response.on('aborted', () => reject(new Error('the answer broke off')))
    response.on('end', () => {
      try {
        resolve(JSON.parse(Buffer.concat(parts).toString('utf8')))
      } catch {
        reject(new Error(`the answer (status ${response.statusCode}) is no JSON`))
      }
    })
  })
}
