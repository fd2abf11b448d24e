import {
  canonicalJsonWithout,
  ENTRY_MAX_BYTES,
  type Entry,
  type Json,
  type JsonObject,
  type JournalEvent,
  utf8Length,
} from '@tidegate/kernel'

/** Events as two texts: what stands in the leaf, and what is encrypted beside it. */
interface Split {
  readonly open: string
  readonly sealed: string | null
}

/**
 * Takes the sealed parts out of the events.
 *
 * @throws KernelError when an event is not plain JSON.
 */
export function splitSealed(events: readonly JournalEvent[]): Split {
  const open = canonicalJsonWithout(events as unknown as readonly JsonObject[], 'sealed') // plain data: every member of an event is Json
  const hasSealed = events.some((event) => 'sealed' in event)
  return { open, sealed: hasSealed ? JSON.stringify(events.map(sealedPart)) : null }
}

function sealedPart(event: JournalEvent): unknown {
  return 'sealed' in event ? event.sealed : null
}

/** The position and time of a record, as they stand in its leaf. */
export interface Placed {
  readonly stream: string
  readonly seq: number
  readonly atMs: number
  readonly epoch: number
}

/**
 * Writes the leaf of a record: RFC 8785 by construction, since the keys below stand in order and `open` is canonical
 * (docs/spec/ledger.md). Undefined when it would be larger than a leaf may be.
 */
export function encodeEntryText(placed: Placed, open: string, payload: string | undefined): string | undefined {
  const middle = payload === undefined ? '' : `,"payload":"${payload}"`
  const text = `{"at":${placed.atMs},"epoch":${placed.epoch},"events":${open}${middle},"seq":${placed.seq},"stream":"${placed.stream}","v":1}`
  return text.length * 3 > ENTRY_MAX_BYTES && utf8Length(text) > ENTRY_MAX_BYTES ? undefined : text
}

/** Reads a leaf back. `sealed` is undefined when retention has erased it. */
export function decodeEntry(index: number, text: string, sealed: string | undefined): Entry {
  const leaf = JSON.parse(text) as {
    at: number
    epoch: number
    events: JournalEvent[]
    payload?: string
    seq: number
    stream: string
  }
  const parts = sealed === undefined ? [] : (JSON.parse(sealed) as Json[])
  const events = leaf.events.map((event, i): JournalEvent => {
    const part = parts[i] ?? null
    return part === null ? event : ({ ...event, sealed: part } as unknown as JournalEvent) // as splitSealed took it out
  })
  const erased = leaf.payload !== undefined && sealed === undefined
  return { index, stream: leaf.stream, seq: leaf.seq, atMs: leaf.at, epoch: leaf.epoch, events, erased }
}
