import { randomBytes } from 'node:crypto'
import { isObject } from '@tidegate/kernel'
import type { McpOptions } from './desk.ts'
import type { EventStream } from './event-stream.ts'
import { isLegacy, type LegacyRevision } from './revision.ts'
import type { RpcResponse } from './rpc.ts'
import type { Seal } from './seal.ts'

/** A conversation with a client of a revision that has sessions. */
export interface McpSession {
  readonly id: string
  readonly host: string
  /** What the desk calls it. */
  readonly key: string
  readonly revision: LegacyRevision
  /** True when the client can ask its person a question. */
  readonly elicits: boolean
  /** Calls under way, by the key of their id: how to end the waiting of each. */
  readonly inFlight: Map<string, () => void>
  /** Questions put to the client, by the key of their id. */
  readonly questions: Map<string, (response: RpcResponse) => void>
  /** Where it is told what changed. */
  stream: EventStream | undefined
  readonly begunMs: number
}

/**
 * The sessions of all hosts.
 *
 * An id is minted here, and sealed: it carries what the client said at the beginning, and is good for the host that opened it and no
 * other. So a session that fell out of memory, or that an earlier process opened, is simply taken up again. Good for seven days.
 */
export interface McpSessions {
  open(host: string, revision: LegacyRevision, elicits: boolean): McpSession | undefined
  /** The session of an id; undefined for one that is not this host's, or not a session any more. */
  find(host: string, id: string): McpSession | undefined
  close(session: McpSession): void
  all(): Iterable<McpSession>
}

const LIFE_MS = 7 * 86_400_000
const MAX_SESSIONS = 1_000
/** So many closed sessions are remembered, so that they are not taken up again. */
const MAX_CLOSED = 10_000

export function createSessions(
  { clock, maxSessions = MAX_SESSIONS }: Pick<McpOptions, 'clock' | 'maxSessions'>,
  seal: Seal,
): McpSessions {
  // In the order of their last use: the first is the one that was idle longest.
  const sessions = new Map<string, McpSession>()
  const closed = new Set<string>()

  const keep = (session: McpSession): McpSession | undefined => {
    if (sessions.size >= maxSessions && !evict(sessions, session.host)) return undefined
    sessions.set(session.id, session)
    return session
  }
  return {
    open(host, revision, elicits) {
      const nonce = randomBytes(16).toString('base64url')
      const begunMs = clock.nowMs()
      const id = seal.seal('session', host, { n: nonce, r: revision, e: elicits, t: begunMs })
      return keep(createSession({ id, host, revision, elicits, key: keyOf(nonce), begunMs }))
    },
    find(host, id) {
      const known = sessions.get(id)
      if (known !== undefined) {
        if (known.host !== host || clock.nowMs() - known.begunMs > LIFE_MS) return undefined
        sessions.delete(id)
        sessions.set(id, known)
        return known
      }
      const begun = closed.has(id) ? undefined : seal.open('session', host, id)
      if (!isObject(begun)) return undefined
      const { n, r, e, t } = begun
      if (typeof n !== 'string' || typeof r !== 'string' || !isLegacy(r) || typeof t !== 'number') return undefined
      if (clock.nowMs() - t > LIFE_MS) return undefined
      return keep(createSession({ id, host, revision: r, elicits: e === true, key: keyOf(n), begunMs: t }))
    },
    close(session) {
      sessions.delete(session.id)
      closed.add(session.id)
      for (const oldest of closed) {
        if (closed.size <= MAX_CLOSED) break
        closed.delete(oldest)
      }
      for (const end of session.inFlight.values()) end()
      session.stream?.end()
    },
    all: () => sessions.values(),
  }
}

type Begun = Pick<McpSession, 'id' | 'host' | 'revision' | 'elicits' | 'key' | 'begunMs'>

function createSession(begun: Begun): McpSession {
  return { ...begun, inFlight: new Map(), questions: new Map(), stream: undefined }
}

function keyOf(nonce: string): string {
  return `mcp-${nonce}`
}

/**
 * Forgets the session that was idle longest, of the same host if there is one, or else one that only listens, of the same host. False
 * when all are in use. What is forgotten is taken up again when its client comes back.
 */
function evict(sessions: Map<string, McpSession>, host: string): boolean {
  const quiet = [...sessions.values()].filter(({ inFlight }) => inFlight.size === 0)
  const own = quiet.filter((session) => session.host === host)
  const isIdle = ({ stream }: McpSession): boolean => stream === undefined
  const oldest = own.find(isIdle) ?? quiet.find(isIdle) ?? own[0]
  if (oldest === undefined) return false
  oldest.stream?.end()
  return sessions.delete(oldest.id)
}
