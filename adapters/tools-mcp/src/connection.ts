import { BACKOFF_MS, STEADY_MS } from './limits.ts'
import { NotSent } from './link/link.ts'
import { openSession, type Session, type SessionParts, withLastWords } from './open-session.ts'
import type { Secrets } from './secrets.ts'
import type { McpPorts, McpServer } from './server.ts'
import { timeLimit, until } from './until.ts'

/** What is known of a connection. */
export interface ConnectionState {
  readonly state: 'idle' | 'connected' | 'failing' | 'closed'
  readonly era: 'legacy' | 'modern' | null
  readonly protocolVersion: string | null
  /** As the server calls itself. */
  readonly serverName: string | null
  readonly pid: number | null
  /** Why the last start failed, or how the last session ended; cleaned of secrets. */
  readonly detail: string
}

/** What a connection needs. */
export interface ConnectionParts {
  readonly ports: McpPorts
  readonly secrets: Secrets
  /** The server says that its tools have changed. */
  readonly changed: () => void
}

/**
 * The one connection to a server: started when it is first needed, one for all calls, and again after it has ended.
 *
 * A server that fails to start is left alone for a while, twice as long each time; so is one that ends soon after its start. Calls of a
 * session that ended are not sent again: what became of them is for the caller to judge.
 */
export class Connection {
  readonly #server: McpServer
  readonly #parts: ConnectionParts
  readonly #endings = new Set<Promise<unknown>>()
  #session: Session | undefined
  #opening: Promise<Session> | undefined
  #protocol: McpServer['protocol']
  #failures = 0
  #notBeforeMs = 0
  #closed = false
  #detail = ''

  constructor(server: McpServer, parts: ConnectionParts) {
    this.#server = server
    this.#parts = parts
    this.#protocol = server.protocol
  }

  /**
   * The session there is, or a new one within the time.
   *
   * @throws NotSent when there is none: the server cannot be reached, or was so bad lately that it is not tried yet.
   */
  async open(withinMs: number): Promise<Session> {
    if (this.#closed) throw new NotSent('Tidegate is closing its connections.')
    if (this.#session !== undefined) return this.#session
    if (this.#opening === undefined) {
      if (this.waitMs() > 0) throw new NotSent(`The MCP server ${this.#server.name} is not tried yet: ${this.#detail}`)
      this.#opening = this.#start()
      this.#opening.catch(() => undefined) // whoever waits for it is told; somebody may have stopped waiting
    }
    return until(this.#opening, timeLimit(withinMs))
  }

  /** How long to wait before a start is tried again; 0 when nothing stands against it. */
  waitMs(): number {
    if (this.#failures === 0 || this.#session !== undefined) return 0
    return Math.max(0, Math.ceil(this.#notBeforeMs - this.#now()))
  }

  /** Ends a session that the server no longer knows; the next call opens another. */
  drop(session: Session): void {
    if (this.#session === session) this.#session = undefined
    this.#discard(session)
  }

  state(): ConnectionState {
    const session = this.#session
    const named = session?.client.getServerVersion()
    return {
      state: this.#closed ? 'closed' : session !== undefined ? 'connected' : this.#failures > 0 ? 'failing' : 'idle',
      era: session?.client.getProtocolEra() ?? null,
      protocolVersion: session?.client.getNegotiatedProtocolVersion() ?? null,
      serverName: named === undefined ? null : `${named.name} ${named.version}`.replace(/[^\x20-\x7e]/g, '?').slice(0, 100),
      pid: session?.link.pid ?? null,
      detail: this.#detail,
    }
  }

  /** Ends the session, and waits until everything that was started is gone. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#opening?.catch(() => undefined)
    if (this.#session !== undefined) this.drop(this.#session)
    await Promise.all(this.#endings)
  }

  async #start(): Promise<Session> {
    const { ports, secrets, changed } = this.#parts
    const parts: SessionParts = { ports, secrets, changed, discard: (session) => this.#discard(session) }
    try {
      const session = await openSession(this.#server, this.#protocol, parts)
      if (this.#closed) {
        this.#discard(session)
        throw new NotSent('Tidegate is closing its connections.')
      }
      const sinceMs = this.#now()
      session.client.onclose = () => this.#end(session, sinceMs)
      if (session.client.getProtocolEra() === 'legacy' && this.#protocol === 'auto') this.#protocol = '2025'
      this.#session = session
      return session
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : 'unknown')
      throw new NotSent(`The MCP server ${this.#server.name} cannot be used: ${this.#detail}`, { cause: error })
    } finally {
      this.#opening = undefined
    }
  }

  /** A session has ended by itself. */
  #end(session: Session, sinceMs: number): void {
    if (this.#session !== session) return // it was dropped by us
    this.#session = undefined
    const fault = session.link.broken() ?? { code: 'mcp_exited', message: 'The connection has ended.' }
    if (this.#now() - sinceMs >= STEADY_MS) this.#failures = 0
    this.#fail(withLastWords(fault.message, session.link))
    const message = `The MCP server ${this.#server.name} is gone: ${this.#detail}`
    this.#parts.ports.log({ level: 'warning', code: fault.code, message })
  }

  #fail(why: string): void {
    this.#failures += 1
    this.#notBeforeMs = this.#now() + Math.min(BACKOFF_MS.last, BACKOFF_MS.first * 2 ** Math.min(this.#failures - 1, 10))
    this.#detail = this.#parts.secrets.clean(why)
  }

  /** Ends what is of no use any more, without anybody waiting for it but {@link close}. */
  #discard({ client, link }: Session): void {
    const ending: Promise<unknown> = Promise.allSettled([client.close(), link.close()]).then(() => this.#endings.delete(ending))
    this.#endings.add(ending)
  }

  #now(): number {
    return this.#parts.ports.clock.monotonicMs()
  }
}
