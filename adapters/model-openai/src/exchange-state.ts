import type { Agent } from 'node:http'
import type { ModelSignal } from '@tidegate/kernel'
import type { Failure } from './failure.ts'

/** What one exchange with an endpoint may cost, and what it expects. */
export interface ExchangeSettings {
  readonly agent: Agent
  readonly connectMs: number
  readonly firstByteMs: number
  readonly idleMs: number
  readonly totalMs: number
  readonly maxReplyBytes: number
  readonly streaming: boolean
  readonly signal: ModelSignal | undefined
  readonly nowMs: () => number
}

/** What the reader of the answer needs of the exchange. */
export interface ExchangeState {
  readonly settings: ExchangeSettings
  readonly secret: () => string | undefined
  readonly fail: (failure: Failure) => void
  /** Bytes arrived: the clock of silence starts again. */
  readonly touch: () => void
}

/** Thrown into the SDK once the exchange has failed; the failure itself is kept beside it, so that the SDK cannot lose it. */
export class ExchangeEnded extends Error {
  override readonly name = 'ExchangeEnded'
}
