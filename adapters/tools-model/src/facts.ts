import type { JsonObject } from '@tidegate/kernel'

/** What a reply has told about itself so far. The far side controls all of it. */
export interface ReplyFacts {
  /** The pieces of text, in their order. */
  text: string
  /** Tools that the model wants to use, by position. */
  readonly calls: Map<number, { name: string; arguments: string }>
  /** Why it ended, in the words of the provider; null when it did not say. */
  stopReason: string | null
  /** Tokens; null while the provider has not said. `input` includes what was read from a cache. */
  input: number | null
  cached: number
  output: number | null
  /** Characters that were kept, of text and of arguments. */
  kept: number
  /** Bytes of what the model said, those that were not kept included: what its tokens are guessed from. */
  said: number
  /** Something was too long to be kept. */
  isCut: boolean
}

/** So much of a reply is recorded, in characters. */
export const MAX_KEPT = 262_144
const MAX_CALLS = 128
const MAX_NAME = 200
/** No single call uses more; a provider that says so is not believed. */
const MAX_TOKENS = 1_000_000_000

export function noFacts(): ReplyFacts {
  const none = { stopReason: null, input: null, cached: 0, output: null }
  return { text: '', calls: new Map(), ...none, kept: 0, said: 0, isCut: false }
}

/** Adds words of the model. What is too much is counted and not kept. */
export function addText(facts: ReplyFacts, piece: unknown): void {
  if (typeof piece === 'string') facts.text += keep(facts, piece)
}

/** Counts what the model said and the client alone is to see, such as its thinking. */
export function addUnkept(facts: ReplyFacts, piece: unknown): void {
  if (typeof piece === 'string') facts.said += Buffer.byteLength(piece)
}

/** Adds a part of a tool call: its name, or more of its arguments. */
export function addCall(facts: ReplyFacts, at: unknown, part: { readonly name?: unknown; readonly arguments?: unknown }): void {
  const index = typeof at === 'number' && Number.isSafeInteger(at) ? at : facts.calls.size
  const call = facts.calls.get(index) ?? { name: '', arguments: '' }
  if (!facts.calls.has(index)) {
    if (facts.calls.size >= MAX_CALLS) {
      facts.isCut = true
      addUnkept(facts, part.arguments)
      return
    }
    facts.calls.set(index, call)
  }
  if (typeof part.name === 'string') call.name = (call.name + part.name).slice(0, MAX_NAME)
  if (typeof part.arguments === 'string') call.arguments += keep(facts, part.arguments)
}

function keep(facts: ReplyFacts, piece: string): string {
  facts.said += Buffer.byteLength(piece)
  const kept = piece.slice(0, Math.max(0, MAX_KEPT - facts.kept))
  if (kept.length < piece.length) facts.isCut = true
  facts.kept += kept.length
  return kept
}

/** A number of tokens, if it is one. */
export function tokens(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= MAX_TOKENS ? value : undefined
}

/** An object of the far side, or an empty one. */
export function objectOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {} // sound: it comes from JSON.parse
}

/** A list of the far side, or an empty one. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
