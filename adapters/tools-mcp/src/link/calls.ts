import type { JsonObject } from '@tidegate/kernel'
import { Lost } from './link.ts'

/** One `tools/call`, ready to be sent. */
export interface ToolRequest {
  readonly name: string
  readonly arguments: JsonObject
  readonly meta: JsonObject
  /** The revision, where each request says it (2026-07-28); undefined in the era of sessions. */
  readonly revision: string | undefined
  readonly timeoutMs: number
  readonly progress?: (told: { readonly progress: number; readonly total?: number }) => void
}

/** What came back, of which only the envelope has been looked at. */
export type Reply =
  | { readonly kind: 'result'; readonly result: { readonly [key: string]: unknown } }
  | { readonly kind: 'error'; readonly code: number; readonly message: string }

/** A call under way. */
export interface OpenCall {
  readonly id: number
  /** The request as text, in one line. */
  readonly text: string
  readonly reply: Promise<Reply>
}

interface Waiting {
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
  readonly progress: ToolRequest['progress']
}

/** Our ids begin here; the protocol's client counts its own from zero and makes a handful of requests per connection. */
const FIRST_ID = 1_000_000_000
const ID = /^\d{10,15}$/

/**
 * The calls under way on one connection, in an id space of their own.
 *
 * 1. Each is settled once: by the first answer that names it, by its time, or by the end of the connection.
 * 2. An answer that nobody waits for (any more) is dropped, and one whose envelope is wrong costs its own call.
 */
export class Calls {
  readonly #waiting = new Map<number, Waiting>()
  #next = FIRST_ID

  /** Begins one. When its time is up it is lost, and `late` may tell the server so. */
  open(request: ToolRequest, late: (id: number) => void): OpenCall {
    const { name, arguments: args, meta, timeoutMs, progress } = request
    const id = this.#next++
    const _meta = progress === undefined ? meta : { ...meta, progressToken: id }
    const text = JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args, _meta } })
    const { promise, resolve, reject } = Promise.withResolvers<Reply>()
    promise.catch(() => undefined) // whoever waits is told; nobody may have begun to
    const timer = setTimeout(() => {
      if (this.lose(id, new Lost('timeout'))) late(id)
    }, timeoutMs)
    this.#waiting.set(id, { resolve, reject, timer, progress })
    return { id, text, reply: promise }
  }

  has(id: number): boolean {
    return this.#waiting.has(id)
  }

  /** Takes a message of the server when it answers a call or tells of its progress; false when it is none of ours. */
  take(message: object): boolean {
    const { id, method, params }: { id?: unknown; method?: unknown; params?: unknown } = message
    if (method === 'notifications/progress') return this.#hear(params)
    if (method !== undefined) return false
    const own = idOf(id)
    if (own === undefined) return false
    const waiting = this.#settle(own)
    if (waiting === undefined) return true
    const reply = readReply(message)
    if (reply === undefined) waiting.reject(new Lost('invalid'))
    else waiting.resolve(reply)
    return true
  }

  /** Ends a call without an answer; false when it is not under way. */
  lose(id: number, error: Error): boolean {
    const waiting = this.#settle(id)
    waiting?.reject(error)
    return waiting !== undefined
  }

  /** The connection has ended. */
  loseAll(): void {
    for (const id of [...this.#waiting.keys()]) this.lose(id, new Lost('ended'))
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return undefined
    this.#waiting.delete(id)
    clearTimeout(waiting.timer)
    return waiting
  }

  #hear(params: unknown): boolean {
    if (typeof params !== 'object' || params === null) return false
    const { progressToken, progress, total }: { progressToken?: unknown; progress?: unknown; total?: unknown } = params
    const id = idOf(progressToken)
    if (id === undefined) return false
    if (typeof progress === 'number')
      this.#waiting.get(id)?.progress?.({ progress, ...(typeof total === 'number' ? { total } : {}) })
    return true
  }
}

/** An id of ours. Some servers give a number back as a text. */
function idOf(value: unknown): number | undefined {
  const id = typeof value === 'string' && ID.test(value) ? Number(value) : value
  return typeof id === 'number' && id >= FIRST_ID ? id : undefined
}

/** The envelope of an answer (JSON-RPC 2.0, section 5): the version, and either a result or an error. */
function readReply(message: object): Reply | undefined {
  const { jsonrpc, result, error }: { jsonrpc?: unknown; result?: unknown; error?: unknown } = message
  if (jsonrpc !== '2.0' || (result === undefined) === (error === undefined)) return undefined
  if (result !== undefined) return isRecord(result) ? { kind: 'result', result } : undefined
  if (!isRecord(error) || !Number.isInteger(error.code) || typeof error.message !== 'string') return undefined
  return { kind: 'error', code: Number(error.code), message: error.message }
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
