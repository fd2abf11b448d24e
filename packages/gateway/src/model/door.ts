import type { JsonObject } from '@tidegate/kernel'
import type { HostDesk } from '@tidegate/runtime'

/** Where a reply of a model goes. */
export interface ReplySink {
  /** Status and headers; once, and first. */
  head(status: number, headers: Readonly<Record<string, string>>): void
  /** Resolves when more may come. */
  write(chunk: Uint8Array): Promise<void>
  /** Nothing more comes; `isWhole` is false for a reply that was cut off. */
  end(isWhole: boolean): void
}

/** What a host asks its model, as it came. */
export interface ModelQuestion {
  readonly host: string
  readonly method: string
  /** `/v1/messages`: without what the gateway puts before it. */
  readonly path: string
  readonly query: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Uint8Array | undefined
  readonly sink: ReplySink
  /** Aborted when the host is gone. */
  readonly gone: AbortSignal
}

/** A question that waits to be decided: it is sent when its operation is executed with these arguments, and only then. */
export interface OpenedQuestion {
  readonly kind: 'opened'
  readonly operation: string
  readonly arguments: JsonObject
  readonly timeoutMs: number
  close(): void
}

/** The way to the models of hosts. */
export interface ModelDoor {
  serves(host: string): boolean
  open(
    question: ModelQuestion,
  ): OpenedQuestion | { readonly kind: 'unprepared'; readonly why: 'path' | 'body'; readonly message: string }
  /** An error of ours in the words of the host's provider. */
  errorOf(host: string, code: string, message: string, status: number): JsonObject
}

/** What the endpoint for models is made of. */
export interface ModelOptions {
  readonly desk: Pick<HostDesk, 'perform'>
  readonly door: ModelDoor
  /** Tells whose token this is; undefined when it is no host's. Must take the same time whatever the token is. */
  readonly authenticateHost: (token: string) => { readonly host: string } | undefined
  /** 16 MiB unless told. */
  readonly maxBodyBytes?: number
  /** Questions under way at the same time; 128 unless told. */
  readonly maxUnderWay?: number
  /** So much all bodies under way may have together; 256 MiB unless told. One that is alone is always let in. */
  readonly maxHeldBytes?: number
}
