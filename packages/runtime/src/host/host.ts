import type { CanaryQuery, CanarySighting } from './canaries.ts'
import type { ObservedQuery, ObservedReport } from './observed.ts'
import type { FailureKind, Finding, Json, Operation, OperationId, Outcome } from '@tidegate/kernel'

/** Which program a host is. */
export const HOST_KINDS = ['openclaw', 'claude-code', 'mcp'] as const
export type HostKind = (typeof HOST_KINDS)[number]

/** An agent program that is not ours and whose calls go through Tidegate, as the project lists it. */
export interface HostDeclaration {
  readonly name: string
  readonly kind: HostKind
  /** The agent's identity, in policy and in the ledger. */
  readonly agent: string
  /** On whose behalf, when the host does not say: `user:...`. */
  readonly person: string
  /** `observe`: everything is decided and recorded, and nothing is stopped. */
  readonly mode: 'observe' | 'enforce'
  /** Operations of our own tools that it may use. */
  readonly operations: readonly OperationId[]
  /** True when a call of one of our tools needs a ticket, which only its hook can get. */
  readonly tickets: boolean
  readonly environment: string
  /** How long people have to answer. */
  readonly approvalMs: number
}

/** The tools that a host brings itself: what they are called there, and what they are. */
export interface HostTools {
  readonly operations: readonly Operation[]
  /** Which operation a call of the host is, and its arguments as that operation takes them. Must not throw. */
  operationOf(
    tool: string,
    args: Json,
    context: { readonly cwd?: string },
  ): { readonly operation: OperationId; readonly arguments: Json }
}

/** One call that a host wants to make. */
export interface HostCall {
  readonly host: string
  /** The host's own name for the conversation; 1 to 200 characters. */
  readonly session: string
  /** The host's own name for the call; the same again is the same call. */
  readonly call: string
  readonly operation: OperationId
  readonly arguments: Json
  /** On whose behalf: `user:...`. */
  readonly person?: string
  readonly goal?: string
  /** Who does it once it may: the host itself, or we when it comes back with the ticket. */
  readonly by: 'host' | 'tidegate'
}

/** What became of a call. */
export type HostAnswer =
  /** The host may do it, with exactly these arguments. */
  | { readonly kind: 'permit'; readonly run: string; readonly arguments: Json; readonly would?: Would }
  /** The host may hand the ticket to us, with exactly these arguments; once, and soon. */
  | { readonly kind: 'ticket'; readonly run: string; readonly arguments: Json; readonly ticket: string; readonly would?: Would }
  /** We have done it. */
  | {
      readonly kind: 'done'
      readonly run: string
      readonly output: Json
      readonly findings: readonly Finding[]
      readonly complete: boolean
      readonly would?: Would
    }
  | { readonly kind: 'denied'; readonly run: string; readonly reasons: readonly string[]; readonly failure: FailureKind }
  /** People are asked, and have not answered yet. The same call later goes on from here. */
  | { readonly kind: 'pending'; readonly run: string; readonly approval: string; readonly deadlineMs: number }
  /** A dry run: this is what it would have done. */
  | { readonly kind: 'rehearsed'; readonly run: string; readonly preview: Json; readonly reasons: readonly string[] }
  | { readonly kind: 'stopped'; readonly run: string; readonly why: string }
  | { readonly kind: 'failed'; readonly run: string; readonly failure: FailureKind; readonly message: string }
  /** It may have happened, and nobody can tell yet. */
  | { readonly kind: 'unknown'; readonly run: string; readonly message: string }
  /** Nothing was recorded: the call itself is not one that can be made. */
  | {
      readonly kind: 'refused'
      readonly code: 'unknown_host' | 'too_busy' | 'invalid_call' | 'not_recorded'
      readonly message: string
    }

/** In observe mode, what would have been. */
export interface Would {
  readonly outcome: Exclude<Outcome, 'allow'>
  readonly reasons: readonly string[]
}

/** What a host tells about a call that it did itself. */
export interface HostReport {
  readonly host: string
  readonly session: string
  readonly call: string
  readonly ok: boolean
  readonly output?: Json
  readonly error?: string
  readonly truncated?: boolean
}

/** What a host says about itself at its start, and every now and then. */
export interface HostHello {
  readonly host: string
  readonly hostVersion?: string
  readonly pluginVersion?: string
  /** Digest of the host's configuration, as its plugin sees it. */
  readonly configDigest?: string
  /** Ways from the agent to the world that the plugin sees. */
  readonly surfaces?: readonly string[]
  /** Others that may change a call after our plugin has seen it. */
  readonly others?: readonly string[]
}

/** A host, and what is known of it since the server started. */
export interface HostView {
  readonly name: string
  readonly kind: HostKind
  readonly agent: string
  readonly mode: 'observe' | 'enforce'
  readonly tickets: boolean
  /** When it was last heard of, in any way; null when it was not. */
  readonly lastSeenMs: number | null
  readonly lastCallMs: number | null
  readonly hostVersion: string | null
  readonly pluginVersion: string | null
  readonly configDigest: string | null
  readonly surfaces: readonly string[]
  readonly others: readonly string[]
  readonly calls: number
  readonly denied: number
  /** Calls that observing let pass. */
  readonly wouldHave: number
  /** Calls of our tools that came without the ticket that they need. */
  readonly withoutTicket: number
}

/** How long a call may be waited for. */
export interface HostPatience {
  /** So long until the answer is `pending` or `unknown`. */
  readonly waitMs: number
  /** Aborted when nobody waits any more. */
  readonly signal?: AbortSignal
  /** Called once when people are being asked: whoever waits can say so. */
  readonly onAsked?: (approval: { readonly approval: string; readonly run: string; readonly deadlineMs: number }) => void
}

/** The door for agents that are not ours: the same door, decided and recorded like a run of our own. */
export interface HostDesk {
  /** Decides on a call that the host does itself (`permit`) or will hand to us (`ticket`). */
  call(request: HostCall, patience: HostPatience): Promise<HostAnswer>
  /** Does a call of one of our tools, and waits for its end. */
  perform(request: Omit<HostCall, 'by'> & { readonly ticket?: string }, patience: HostPatience): Promise<HostAnswer>
  /** Takes what a host tells about a call that it did itself; false when there is no such call. */
  report(report: HostReport): boolean
  /** Takes what the agent was told: by the person, or by somebody else. */
  heard(words: {
    readonly host: string
    readonly session: string
    readonly text: string
    readonly from: 'user' | 'third-party'
  }): Promise<void>
  hello(hello: HostHello): HostView | undefined
  hosts(): readonly HostView[]
  /** What a host may use of our tools: nothing that is quarantined, or that policy denies whatever the arguments are. */
  offered(host: string): readonly Operation[]
  /** What would have been, had the hosts that are only observed been governed. */
  observed(query: ObservedQuery): Promise<ObservedReport>
  /** The calls in the ledger in which a canary stands: the evidence of a proof. */
  canaries(query: CanaryQuery): Promise<readonly CanarySighting[]>
}
