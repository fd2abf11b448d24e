import type { Json, JsonObject } from '@tidegate/kernel'
import type { ReplyFacts } from './facts.ts'

/** What a path is for: a reply of the model, a count of tokens, or a list of models. Only the first uses up anything. */
export type Purpose = 'chat' | 'count' | 'list'

/** How one provider's interface is spoken: everything that differs between them. */
export interface ModelFormat {
  /** `POST /v1/messages` to what it is for; there are no others. */
  readonly routes: Readonly<Record<string, Purpose>>
  /** The path at the provider, below the path of its base URL. */
  readonly target: (basePath: string, path: string) => string
  /** Headers of the client that the provider gets. */
  readonly forwarded: readonly string[]
  /** What they are when the client does not say. */
  readonly fixed: Readonly<Record<string, string>>
  readonly credential: (key: string) => readonly [header: string, value: string]
  /** The body as it is sent. `drops` says that it asks for an event which the client is not to see. */
  readonly prepare: (body: JsonObject) => { readonly body: JsonObject; readonly drops: boolean }
  readonly maxTokens: (body: JsonObject) => Json
  /** Reads a reply that came in one piece. */
  readonly readWhole: (facts: ReplyFacts, body: JsonObject) => void
  /** Reads one event of a stream. */
  readonly readEvent: (facts: ReplyFacts, event: JsonObject) => void
  readonly isDropped: (event: JsonObject) => boolean
  /** An error of ours in the words of the provider, so that every client understands it. */
  readonly errorOf: (code: string, message: string, status: number) => JsonObject
}
