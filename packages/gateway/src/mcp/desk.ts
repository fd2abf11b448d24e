import type { Clock } from '@tidegate/kernel'
import type { HostDesk } from '@tidegate/runtime'

/** The part of the desk for hosts that MCP clients reach. */
export type McpDesk = Pick<HostDesk, 'perform' | 'offered'>

/** Who holds a token: an agent program that is not ours. */
export interface McpHost {
  readonly host: string
  /** True when its calls of our tools need a ticket, which only its hook can get. */
  readonly tickets: boolean
}

/** How long calls are kept waiting, in milliseconds. Defaults in {@link MCP_WAITS}. */
export interface McpWaits {
  /** Once people are asked: so long for a client that only waits. Below the minute after which most clients give up. */
  readonly plainMs: number
  /** Once people are asked: so long for a client that is told about progress. */
  readonly progressMs: number
  /** Once people are asked: so long until a client that can be asked whether to go on waiting is asked. */
  readonly graceMs: number
  /** So long for a client whose person said that it may take longer; and for any call in all. */
  readonly mostMs: number
  /** Between two notes about progress, and until the first. */
  readonly beatMs: number
  /** Between two looks at whether the offer has changed, while somebody wants to be told. */
  readonly offerMs: number
}

export const MCP_WAITS: McpWaits = {
  plainMs: 45_000,
  progressMs: 240_000,
  graceMs: 1_000,
  mostMs: 590_000,
  beatMs: 5_000,
  offerMs: 2_000,
}

/** What an MCP endpoint is made of. */
export interface McpOptions {
  readonly desk: McpDesk
  /** Tells whose token this is; undefined when it is no host's. Must take the same time whatever the token is. */
  readonly authenticateHost: (token: string) => McpHost | undefined
  readonly clock: Pick<Clock, 'nowMs'>
  /**
   * 32 bytes that seal session ids, states of requests and ids of tasks. Kept over restarts, all of these stay good over restarts; left
   * out, random ones are used and clients have to start over.
   */
  readonly secret?: Uint8Array
  /** Issuers of tokens, for the metadata of the protected resource (RFC 9728); none while tokens are static. */
  readonly authorizationServers?: readonly string[]
  readonly waits?: Partial<McpWaits>
  /** The most sessions kept in memory; 1,000 unless told. A sealed session that fell out is taken up again when its client comes back. */
  readonly maxSessions?: number
}
