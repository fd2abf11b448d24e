import type { McpHost } from './desk.ts'
import type { EventStream } from './event-stream.ts'
import type { Exchange } from './exchange.ts'
import type { McpGround } from './ground.ts'
import { META } from './revision.ts'
import { type RpcId, rpcNotification } from './rpc.ts'
import type { McpSession } from './sessions.ts'
import { complete } from './modern-result.ts'

/** Clients that want to be told when what they are offered changes. */
export interface Listeners {
  /** Listens for a session, on the answer to its GET; a stream that it had before ends. False when there are too many. */
  attach(exchange: Exchange, session: McpSession): boolean
  /** Listens for a request of the stateless revision, until its client leaves. False when there are too many. */
  listen(exchange: Exchange, id: RpcId, wanted: { readonly tools: boolean }): boolean
  /** Looks now whether an offer has changed. */
  look(): void
  /** Ends all of them in good order. */
  close(): void
}

interface Listener {
  readonly host: McpHost
  readonly changed: () => void
  readonly end: () => void
  fingerprint: string
}

const MAX_LISTENERS = 1_000
const CHANGED = 'notifications/tools/list_changed'

/** Looks at the offers of all hosts that somebody listens for, every now and then; costs nothing while nobody listens. */
export function createListeners(ground: McpGround): Listeners {
  const listeners = new Set<Listener>()
  let timer: NodeJS.Timeout | undefined

  const look = (): void => {
    for (const listener of listeners) {
      const { fingerprint } = ground.offerOf(listener.host)
      if (fingerprint === listener.fingerprint) continue
      listener.fingerprint = fingerprint
      listener.changed()
    }
  }
  const add = (exchange: Exchange, listener: Listener, left?: () => void): void => {
    listeners.add(listener)
    timer ??= setInterval(look, ground.waits.offerMs).unref()
    const leave = (): void => {
      listeners.delete(listener)
      left?.()
      if (listeners.size > 0) return
      clearInterval(timer)
      timer = undefined
    }
    exchange.signal.addEventListener('abort', leave, { once: true })
  }
  return {
    attach(exchange, session) {
      if (listeners.size >= MAX_LISTENERS) return false
      session.stream?.end()
      const stream: EventStream = exchange.stream()
      session.stream = stream
      const { fingerprint } = ground.offerOf(exchange.host)
      const changed = (): void => stream.send(rpcNotification(CHANGED))
      add(exchange, { host: exchange.host, fingerprint, changed, end: () => stream.end() }, () => {
        if (session.stream === stream) session.stream = undefined
      })
      return true
    },
    listen(exchange, id, wanted) {
      if (listeners.size >= MAX_LISTENERS) return false
      const stream = exchange.stream()
      const _meta = { [META.subscription]: id }
      const notifications = wanted.tools ? { toolsListChanged: true } : {}
      stream.send(rpcNotification('notifications/subscriptions/acknowledged', { _meta, notifications }))
      const { fingerprint } = ground.offerOf(exchange.host)
      const changed = (): void => {
        if (wanted.tools) stream.send(rpcNotification(CHANGED, { _meta }))
      }
      const end = (): void => exchange.answer(200, complete(id, { _meta }, ground))
      add(exchange, { host: exchange.host, fingerprint, changed, end })
      return true
    },
    look,
    close() {
      clearInterval(timer)
      for (const { end } of listeners) end()
      listeners.clear()
    },
  }
}
