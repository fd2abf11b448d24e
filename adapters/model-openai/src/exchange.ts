import { type Agent, type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { ExchangeEnded, type ExchangeSettings, type ExchangeState } from './exchange-state.ts'
import type { Failure } from './failure.ts'
import { acceptResponse } from './response.ts'

/**
 * One request and its answer, over a transport that is stricter than `fetch`: no redirects, no compression, no proxy, no retry, only
 * valid UTF-8, bounded bytes, and a deadline for each phase.
 *
 * 1. The first failure wins; everything that breaks in consequence of it is ignored.
 * 2. After `close`, which must follow in any case, the connection is gone unless the answer had been read to its end.
 * 3. `ended` resolves with the failure, if there is one, whatever the code in between is waiting for.
 */
export interface Exchange {
  /** Has the shape of `fetch`, for the SDK. Only what the SDK sends is understood. */
  readonly post: (url: unknown, init?: PostInit) => Promise<Response>
  readonly ended: Promise<Failure>
  failure(): Failure | undefined
  fail(failure: Failure): void
  /** Tells the exchange what must not be shown in messages. */
  hide(secret: string): void
  close(): void
}

/** What of `RequestInit` is read. */
export interface PostInit {
  readonly headers?: unknown
  readonly body?: unknown
}

/** Opens an exchange; its total time runs from here. */
export function openExchange(settings: ExchangeSettings): Exchange {
  const { promise: ended, resolve: end } = Promise.withResolvers<Failure>()
  let failure: Failure | undefined
  let secret: string | undefined
  let request: ClientRequest | undefined
  let isAnswering = false
  let phase: NodeJS.Timeout | undefined

  const fail = (reason: Failure): void => {
    if (failure !== undefined) return
    failure = reason
    clearTimeout(phase)
    end(reason)
  }
  const allow = (timeMs: number, what: string): void => {
    clearTimeout(phase)
    if (failure === undefined) phase = setTimeout(() => fail(timedOut(what)), timeMs)
  }
  const touch = (): void => {
    if (failure !== undefined) return
    if (isAnswering) phase?.refresh()
    else allow(settings.idleMs, 'fell silent in the middle of its answer')
    isAnswering = true
  }
  const state: ExchangeState = { settings, secret: () => secret, fail, touch }
  const total = setTimeout(() => fail(timedOut('did not finish its answer in the time of the whole call')), settings.totalMs)
  const onAbort = (): void => fail(STOPPED)
  settings.signal?.addEventListener('abort', onAbort)
  if (settings.signal?.aborted === true) onAbort()

  const post = async (url: unknown, init: PostInit = {}): Promise<Response> => {
    if (failure !== undefined) throw new ExchangeEnded()
    request = startRequest(String(url), init, settings.agent)
    allow(settings.connectMs, 'did not accept a connection')
    onceConnected(request, () => allow(settings.firstByteMs, 'did not begin to answer'))
    return acceptResponse(await awaitResponse(request, fail), state)
  }
  const close = (): void => {
    fail(STOPPED)
    clearTimeout(total)
    settings.signal?.removeEventListener('abort', onAbort)
    // Does nothing to an exchange that is over: its connection is already back with the agent.
    request?.destroy()
  }
  const hide = (value: string): void => {
    secret = value
  }
  return { post, ended, failure: () => failure, fail, hide, close }
}

const STOPPED: Failure = { code: 'stopped', retry: 'never', message: 'The call to the model was stopped.' }

function startRequest(url: string, init: PostInit, agent: Agent): ClientRequest {
  const target = new URL(url)
  const body = Buffer.from(typeof init.body === 'string' ? init.body : '')
  const headers: Record<string, string> = {}
  // The SDK hands over a plain record of strings; what else a header could be is dropped.
  for (const [name, value] of Object.entries(init.headers ?? {}))
    if (typeof value === 'string') headers[name.toLowerCase()] = value
  const own = { 'accept-encoding': 'identity', 'content-length': String(body.length), 'user-agent': 'tidegate' }
  const start = target.protocol === 'https:' ? requestHttps : requestHttp
  const request = start(target, { method: 'POST', agent, headers: { ...headers, ...own } })
  request.end(body)
  return request
}

/** Calls back once a new connection is up (for https, with its TLS), or at once on a connection that was kept. */
function onceConnected(request: ClientRequest, connected: () => void): void {
  request.once('socket', (socket) => {
    if (request.reusedSocket) return connected()
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', connected)
  })
}

function awaitResponse(request: ClientRequest, fail: (failure: Failure) => void): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let isAnswered = false
    request.once('response', (response) => {
      isAnswered = true
      resolve(response)
    })
    // Stays attached, for a connection may break again while it is torn down. Once there is an answer, whoever reads it notices
    // that it breaks; only an answer that is not HTTP is noticed here first.
    request.on('error', (error) => {
      const failure = explainBreak(error)
      if (!isAnswered || failure.code === 'malformed') fail(failure)
      reject(new ExchangeEnded())
    })
    request.once('close', () => {
      if (!isAnswered) fail(explainBreak(new Error('closed')))
      reject(new ExchangeEnded())
    })
  })
}

const TLS_REFUSED = /^(?:CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|EPROTO|HOSTNAME_)/

/** The system's code is shown, its message is not: it may hold the address. */
function explainBreak(error: Error): Failure {
  const code =
    'code' in error && typeof error.code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(error.code) ? error.code : 'closed'
  if (code.startsWith('HPE_')) {
    return { code: 'malformed', retry: 'never', message: `The endpoint does not answer in valid HTTP (${code}).` }
  }
  if (TLS_REFUSED.test(code)) {
    return {
      code: 'unavailable',
      retry: 'never',
      message: `The connection to the endpoint cannot be trusted (${code}). Check its certificate.`,
    }
  }
  return {
    code: 'unavailable',
    retry: 'safe',
    message: `The endpoint cannot be reached, or closed the connection without an answer (${code}).`,
  }
}

function timedOut(what: string): Failure {
  return { code: 'timeout', retry: 'safe', message: `The endpoint ${what}.` }
}
