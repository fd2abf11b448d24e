import { noFacts, objectOf, type ReplyFacts } from './facts.ts'
import type { ModelFormat } from './format.ts'
import { createEventSplitter, dataOf, type EventPiece } from './split-events.ts'

/** Reads a reply while it passes. */
export interface ReplyReader {
  readonly facts: ReplyFacts
  /** Answers what the client gets of these bytes. */
  push(chunk: Uint8Array): readonly Uint8Array[]
  end(): readonly Uint8Array[]
}

/** So much of a reply in one piece is kept for reading. */
const MAX_WHOLE = 4_194_304

/**
 * Creates the reader of one reply. Everything passes as it came, but for an event that we asked for and the client did not (`drops`). What
 * cannot be read passes too: it is the provider's word, and the client's to judge.
 */
export function createReplyReader(
  format: ModelFormat,
  { contentType, isEncoded, drops }: { readonly contentType: string; readonly isEncoded: boolean; readonly drops: boolean },
): ReplyReader {
  const facts = noFacts()
  if (isEncoded) return passing(facts)
  if (/^text\/event-stream\b/i.test(contentType)) return readEvents(format, facts, drops)
  return /^application\/(?:[\w.+-]+\+)?json\b/i.test(contentType) ? readWhole(format, facts) : passing(facts)
}

/** Nothing of it can be understood: it is counted by its size. */
function passing(facts: ReplyFacts): ReplyReader {
  return {
    facts,
    push(chunk) {
      facts.said += chunk.length
      return [chunk]
    },
    end: () => [],
  }
}

function readEvents(format: ModelFormat, facts: ReplyFacts, drops: boolean): ReplyReader {
  const splitter = createEventSplitter()
  const read = (pieces: readonly EventPiece[]): readonly Uint8Array[] =>
    pieces.flatMap(({ bytes }) => {
      const event = jsonOf(dataOf(bytes))
      if (event === undefined) return [bytes]
      format.readEvent(facts, event)
      return drops && format.isDropped(event) ? [] : [bytes]
    })
  return { facts, push: (chunk) => read(splitter.push(chunk)), end: () => read(splitter.end()) }
}

function readWhole(format: ModelFormat, facts: ReplyFacts): ReplyReader {
  let chunks: Uint8Array[] = []
  let size = 0
  return {
    facts,
    push(chunk) {
      size += chunk.length
      if (size <= MAX_WHOLE) chunks.push(chunk)
      else chunks = []
      return [chunk]
    },
    end() {
      const body = size <= MAX_WHOLE ? jsonOf(Buffer.concat(chunks).toString('utf8')) : undefined
      if (body === undefined) {
        facts.said = size
        facts.isCut = true
      } else format.readWhole(facts, body)
      return []
    },
  }
}

/** One JSON object, or undefined: the far side may send anything. */
function jsonOf(text: string | undefined): ReturnType<typeof objectOf> | undefined {
  if (text === undefined || !text.trimStart().startsWith('{')) return undefined
  try {
    return objectOf(JSON.parse(text))
  } catch {
    return undefined
  }
}
