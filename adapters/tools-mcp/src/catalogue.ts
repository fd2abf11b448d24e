import type { Connection } from './connection.ts'
import { decodeDefinitions, type Definitions, encodeDefinitions, readDefinitions } from './definition.ts'
import { listTools } from './list-tools.ts'
import { type Offer, makeOffer } from './make-operation.ts'
import type { Session } from './open-session.ts'
import type { McpPorts, McpServer } from './server.ts'

/** The live server defines its tools otherwise than they are offered here. Operation ids, sorted. */
export interface McpChange {
  readonly server: string
  readonly added: readonly string[]
  readonly changed: readonly string[]
  readonly removed: readonly string[]
}

/** What a server was found to define. */
export interface Live {
  readonly definitions: Definitions
  readonly offer: Offer
  /** In which session it was listed, and when. */
  readonly session: Session
  readonly atMs: number
}

const NOTHING: Definitions = { tools: new Map(), issues: [] }

/**
 * What is offered of a server, and what the live server defines by now.
 *
 * What is offered changes by {@link Catalogue.adopt} and by nothing else. The live list is looked at again in each session, after the server
 * said that it changed, and when it is older than `recheckMs`; one look at a time.
 */
export class Catalogue {
  readonly #server: McpServer
  readonly #ports: McpPorts
  readonly #onChange: (change: McpChange) => void
  #offered: Offer
  #live: Live | undefined
  #looking: Promise<Live> | undefined
  #isStale = false
  #told = ''

  constructor(server: McpServer, ports: McpPorts, onChange: (change: McpChange) => void) {
    this.#server = server
    this.#ports = ports
    this.#onChange = onChange
    const text = ports.memory?.read(server.name)
    this.#offered = makeOffer(server, (text === undefined ? undefined : decodeDefinitions(text)) ?? NOTHING)
  }

  get offered(): Offer {
    return this.#offered
  }

  get live(): Live | undefined {
    return this.#live
  }

  /** The next {@link fresh} looks again. */
  markStale(): void {
    this.#isStale = true
  }

  /** What the server defines, as of a look that is not too old. @throws as {@link listTools} does. */
  fresh(session: Session, withinMs: number): Live | Promise<Live> {
    const live = this.#live
    const { recheckMs } = this.#server
    const isFresh = live?.session === session && !this.#isStale && this.#now() - live.atMs < recheckMs
    if (live !== undefined && isFresh) return live
    this.#looking ??= this.#look(session, withinMs).finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  /** Looks again in the background. What is wrong is said by the next call. */
  async refresh(connection: Connection, withinMs: number): Promise<void> {
    this.markStale()
    try {
      await this.fresh(await connection.open(withinMs), withinMs)
    } catch {
      this.markStale()
    }
  }

  /** Offers what the live server was last found to define, and remembers it. */
  adopt(): void {
    if (this.#live === undefined) return
    this.#offered = this.#live.offer
    this.#told = ''
    const { name } = this.#server
    try {
      this.#ports.memory?.write(name, encodeDefinitions(this.#live.definitions))
    } catch (error) {
      // What is not remembered is looked up at the next start.
      const message = `The tools of the MCP server ${name} are not remembered: ${error instanceof Error ? error.message : 'unknown'}`
      this.#ports.log({ level: 'warning', code: 'mcp_not_remembered', message })
    }
  }

  /** How the live server differs from what is offered; null when it does not, or was not looked at yet. */
  differences(): McpChange | null {
    if (this.#live === undefined) return null
    const change = compare(this.#server.name, this.#offered, this.#live.offer)
    return change.added.length + change.changed.length + change.removed.length === 0 ? null : change
  }

  async #look(session: Session, withinMs: number): Promise<Live> {
    this.#isStale = false
    const definitions = readDefinitions(await listTools(session, this.#server.name, withinMs))
    const live: Live = { definitions, offer: makeOffer(this.#server, definitions), session, atMs: this.#now() }
    this.#live = live
    const change = this.differences()
    const text = JSON.stringify(change)
    if (change !== null && text !== this.#told) this.#onChange(change)
    this.#told = text
    return live
  }

  #now(): number {
    return this.#ports.clock.monotonicMs()
  }
}

function compare(server: string, before: Offer, after: Offer): McpChange {
  const versionOf = (offer: Offer, id: string) => offer.byId.get(id)?.operation.schemaVersion
  const ids = [...new Set([...before.byId.keys(), ...after.byId.keys()])].sort()
  return {
    server,
    added: ids.filter((id) => !before.byId.has(id)),
    removed: ids.filter((id) => !after.byId.has(id)),
    changed: ids.filter((id) => before.byId.has(id) && after.byId.has(id) && versionOf(before, id) !== versionOf(after, id)),
  }
}
