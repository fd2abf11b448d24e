import type { Json } from '../canonical/json.ts'
import type { OperationId } from '../action/operation.ts'

/** One call of one operation. `effectId` is the same for every attempt at the same action and unlike any other. */
export interface ConnectorCall {
  readonly operation: OperationId
  readonly arguments: Json
  /** What calls of one conversation have in common: those of one run, or of one session of a host. Not for the far side. */
  readonly session: string
  /** `<run>.<action>`: hand it to the far side, so that {@link Connector.reconcile} can look for it. */
  readonly effectId: string
  readonly attempt: number
  readonly timeoutMs: number
  /** Resolves a declared secret for the duration of this call. Rejects for a name that the operation does not declare. */
  readonly secret: (name: string) => Promise<string>
}

/** Why a call failed, and whether it may have had an effect. `unknown` makes the effect ambiguous (I4). */
export interface ConnectorFailure {
  readonly kind: 'failed'
  readonly failure: 'timeout' | 'unavailable' | 'semantic' | 'invalid_output' | 'refused'
  readonly retry: 'never' | 'safe' | 'unknown'
  /** For people: what happened, never with a secret in it. */
  readonly message: string
  /** A stable code of the far side, if it gave one. */
  readonly code?: string
  readonly retryAfterMs?: number
  readonly usage?: CallUsage
}

/** `complete: false` says that the answer was cut short: it lowers the confidence of the run. */
export interface ConnectorDone {
  readonly kind: 'done'
  readonly output: Json
  readonly complete: boolean
  readonly usage?: CallUsage
}

/** What a call has used of a model. It is recorded as `model.called`, so that meters of tokens and of cost count it. */
export interface CallUsage {
  /** Stands in the ledger for good: a name, and nothing of what was said. */
  readonly model: string
  readonly inputTokens: number
  readonly outputTokens: number
  /** Millionths of the currency of the budget. */
  readonly costMicros: number
}

export type ConnectorResult = ConnectorDone | ConnectorFailure

/** What a look-up at the far side found out about an effect whose outcome was unknown. */
export type Reconciliation =
  | { readonly kind: 'happened'; readonly output: Json }
  | { readonly kind: 'absent' }
  /** It is there more than once: somebody executed it twice. */
  | { readonly kind: 'doubled'; readonly count: number; readonly output: Json }
  | { readonly kind: 'unknown'; readonly message: string }

/**
 * Reaches one outside system. The only port through which anything happens to the world.
 *
 * `execute` is called at most once per durable `effect.started` (I3, I4) and must not retry by itself. It answers, or is given up
 * after `timeoutMs`; an exception counts as a failure with retry `unknown`. `preview` and `reconcile` only read.
 */
export interface Connector {
  execute(call: ConnectorCall): Promise<ConnectorResult>
  /** What the call would change, as plain data; the same world gives the same answer. */
  preview(call: ConnectorCall): Promise<ConnectorResult>
  /** Looks whether the effect happened. */
  reconcile(call: ConnectorCall): Promise<Reconciliation>
  /** Looks whether the effect (of `call`, which answered `output`) is in the world now. */
  verify(call: ConnectorCall, output: Json): Promise<{ readonly holds: boolean; readonly detail: string }>
}
