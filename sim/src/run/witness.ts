import type { ConnectorCall, Entry, Json, JsonObject, RunState, StopScope } from '@tidegate/kernel'
import type { HostAnswer } from '@tidegate/runtime'
import type { SeenCounts } from './counts.ts'

/** A call that reached the world: what it said, and how much of the journal was durable in that moment. */
export interface SeenCall {
  readonly order: number
  readonly effectId: string
  readonly run: string
  readonly action: number
  readonly attempt: number
  readonly operation: string
  readonly arguments: Json
  /** Number of durable entries when the call arrived. */
  readonly durable: number
  readonly life: number
  /** The requests of hosts that were waiting for an answer in that moment, by their order. */
  readonly waiting: readonly number[]
}

/** A look at the world, with the truth at that moment (whatever the caller was told). */
export interface SeenLook {
  readonly order: number
  readonly look: 'preview' | 'verify' | 'read'
  readonly effectId: string
  readonly durable: number
  readonly truth: Json
}

export interface SeenLanding {
  readonly order: number
  readonly effectId: string
  readonly operation: string
}

/** A stop, from the moment it was acknowledged to the moment somebody asked to lift it. */
export interface SeenStop {
  readonly scope: StopScope
  readonly ackedOrder: number
  liftedOrder: number
}

/** An append that was answered: what the writer may rely on from then on. */
export interface SeenAck {
  readonly index: number
  readonly text: string
}

/** What a host asked for, as the host knows it. */
export interface SeenRequest {
  readonly order: number
  readonly host: string
  readonly session: string
  readonly call: string
  readonly operation: string
  readonly arguments: JsonObject
  readonly asks: 'result' | 'ticket' | 'permit'
  readonly ticket: string | null
  readonly life: number
  /** Number of durable entries when it was made. */
  readonly durable: number
  readonly atMs: number
  /** It has not left, was not cut off, and has heard nothing. */
  isWaiting: boolean
  endedOrder: number | null
  /** What the host heard; null when it heard nothing. */
  answer: { readonly order: number; readonly durable: number; readonly atMs: number; readonly told: HostAnswer } | null
}

/** Something that a host did itself. */
export interface SeenDeed {
  readonly order: number
  readonly run: string
  readonly host: string
  readonly session: string
}

/** A ticket that a host got, for which request, and which call handed it in first. */
export interface SeenTicket {
  readonly request: SeenRequest
  readonly run: string
  usedBy: string | null
}

/** One life of Tidegate: from which entry on, and under which policy. */
export interface SeenLife {
  readonly from: number
  readonly policyVersion: string
  /** Which declaration of the operations is in force: part of every digest. */
  readonly schema: number
}

/**
 * What the simulation saw with its own eyes, beside the journal. Checkers hold the two against each other; nothing in here comes
 * from the code that is checked, apart from `states`.
 */
export interface Witness {
  readonly calls: SeenCall[]
  readonly looks: SeenLook[]
  readonly landings: SeenLanding[]
  readonly stops: Map<string, SeenStop>
  readonly acks: SeenAck[]
  /** The epoch that the writer of an entry decided under, for entries that named one. */
  readonly fences: Map<number, number>
  /** Trigger event to the runs that were answered for it. */
  readonly triggered: Map<string, Set<string>>
  readonly lives: SeenLife[]
  readonly counts: SeenCounts[]
  readonly logs: string[]
  readonly requests: SeenRequest[]
  readonly tickets: Map<string, SeenTicket>
  /** What hosts did themselves. */
  readonly hostDeeds: SeenDeed[]
  /** What hosts said that their agents were told by strangers, from the moment it was acknowledged. */
  readonly heard: { readonly order: number; readonly host: string; readonly session: string }[]
  /** The newest state of each run, as the harness folded it while running, with the number of its records. */
  readonly states: Map<string, RunState>
  /** Questions that were open when somebody looked last. */
  open: ReadonlySet<string>
  /** Counts everything that was seen, so that it has an order. */
  order: number
  readonly violations: { readonly invariant: string; readonly message: string }[]
}

export function createWitness(): Witness {
  return {
    calls: [],
    looks: [],
    landings: [],
    stops: new Map(),
    acks: [],
    fences: new Map(),
    triggered: new Map(),
    lives: [],
    counts: [],
    logs: [],
    requests: [],
    tickets: new Map(),
    hostDeeds: [],
    heard: [],
    states: new Map(),
    open: new Set(),
    order: 0,
    violations: [],
  }
}

/** Notes a call that arrived at the world. */
export function noteCall(witness: Witness, call: ConnectorCall, durable: number): void {
  const { effectId, attempt, operation } = call
  const [run = '', action = ''] = effectId.split('.')
  const args = structuredClone(call.arguments)
  witness.calls.push({
    order: witness.order++,
    effectId,
    run,
    action: Number(action),
    attempt,
    operation,
    arguments: args,
    durable,
    life: witness.lives.length,
    waiting: witness.requests.flatMap(({ isWaiting, order }) => (isWaiting ? [order] : [])),
  })
}

/** One event of one run with where and when it was recorded. */
export interface Recorded<E> {
  readonly index: number
  readonly atMs: number
  readonly epoch: number
  readonly event: E
}

/** All events of a stream, in order. */
export function eventsOf<E>(entries: readonly Entry[], stream: string): readonly Recorded<E>[] {
  return entries
    .filter((entry) => entry.stream === stream)
    .flatMap(({ index, atMs, epoch, events }) => events.map((event) => ({ index, atMs, epoch, event: event as E })))
}
