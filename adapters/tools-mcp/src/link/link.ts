import type { Transport } from '@modelcontextprotocol/client'
import type { Reply, ToolRequest } from './calls.ts'

/**
 * A way to a server, as the protocol's client uses it, that can say what became of it. Calls of tools do not go through that client: they
 * are most of what is sent, and are read here.
 */
export interface Link extends Transport {
  /**
   * Sends one call, once, and waits for what comes back.
   *
   * @throws NotSent, RefusedByStatus, TooLarge or Lost; anything else means that it broke off.
   */
  readonly call: (request: ToolRequest) => Promise<Reply>
  /** Why it broke, for people; undefined while it works or when it was closed by us. */
  readonly broken: () => LinkFault | undefined
  /** The last words that a program wrote to its error output; nothing for other ways. */
  readonly lastWords: () => string
  /** The process behind it, if there is one. */
  readonly pid: number | null
}

export interface LinkFault {
  readonly code: 'mcp_exited' | 'mcp_flooding' | 'mcp_too_large' | 'mcp_unreachable'
  readonly message: string
}

/** A message did not leave: the server has certainly not seen it. `final`: another protocol will not help either. */
export class NotSent extends Error {
  readonly final: boolean

  constructor(message: string, { final = false, cause }: { readonly cause?: unknown; readonly final?: boolean } = {}) {
    super(message, { cause })
    this.name = 'NotSent'
    this.final = final
  }
}

/** A server refused a request by the status of its answer (RFC 9110). */
export class RefusedByStatus extends Error {
  readonly status: number
  readonly retryAfterMs: number | undefined

  constructor(status: number, retryAfterMs: number | undefined) {
    super(`The server answered with the status ${status}.`)
    this.name = 'RefusedByStatus'
    this.status = status
    this.retryAfterMs = retryAfterMs
  }
}

/** An answer is larger than anybody reads. */
export class TooLarge extends Error {
  constructor() {
    super('The answer is too large.')
    this.name = 'TooLarge'
  }
}

/** A call that was sent has no answer, and will have none: its time was up, the connection ended, or the answer is none. */
export class Lost extends Error {
  readonly why: 'timeout' | 'ended' | 'invalid'

  constructor(why: Lost['why']) {
    super(`The call has no answer: ${why}.`)
    this.name = 'Lost'
    this.why = why
  }
}

/** The codes by which we tell the caller of one request that its answer will not come. Outside of what the protocol assigns. */
export const LOST_ANSWER = { tooLarge: -31_901, ended: -31_902 } as const

/** Counts what nobody asked for, in windows of one second. True when it is too much. */
export function createFloodGauge(perSecond: number, monotonicMs: () => number): () => boolean {
  let since = monotonicMs()
  let seen = 0
  return () => {
    const now = monotonicMs()
    if (now - since >= 1_000) {
      since = now
      seen = 0
    }
    seen += 1
    return seen > perSecond
  }
}
