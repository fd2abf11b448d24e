const LF = 10
const CR = 13

/** A piece of an event stream: one event with the blank line that ends it, or what cannot be told apart any more. */
export interface EventPiece {
  readonly bytes: Uint8Array
  /** True for a whole event; false for what was too long, and for the rest behind the last one. */
  readonly isEvent: boolean
}

/** Cuts the bytes of an event stream (WHATWG HTML, section 9.2.6) into events, however they were cut on their way. Joined, the pieces are the stream. */
export interface EventSplitter {
  push(chunk: Uint8Array): readonly EventPiece[]
  /** What is left at the end of the stream. */
  end(): readonly EventPiece[]
}

/** So long may one event be; what is longer is passed on as it is, and not read. */
const MAX_EVENT = 1_048_576

/** Creates a splitter for one stream. Each byte is looked at once, so that a far side that sends single bytes costs no more than another. */
export function createEventSplitter(maxEvent = MAX_EVENT): EventSplitter {
  let waiting: Uint8Array[] = []
  let size = 0
  let isLineEmpty = true
  let afterCr = false
  let isTooLong = false

  function take(isEvent: boolean): EventPiece {
    const [only = new Uint8Array()] = waiting
    const bytes = waiting.length <= 1 ? only : Buffer.concat(waiting)
    waiting = []
    size = 0
    return { bytes, isEvent }
  }

  function keep(part: Uint8Array): void {
    if (part.length === 0) return
    waiting.push(part)
    size += part.length
  }

  return {
    push(chunk) {
      const pieces: EventPiece[] = []
      let start = 0
      for (let at = 0; at < chunk.length; at++) {
        const byte = chunk[at]
        if (byte !== LF && byte !== CR) {
          isLineEmpty = false
          afterCr = false
          continue
        }
        const isSecondHalf = byte === LF && afterCr
        afterCr = byte === CR
        if (isSecondHalf) continue
        if (!isLineEmpty) {
          isLineEmpty = true
          continue
        }
        keep(chunk.subarray(start, at + 1))
        start = at + 1
        pieces.push(take(!isTooLong))
        isTooLong = false
      }
      keep(chunk.subarray(start))
      if (size > maxEvent) {
        isTooLong = true
        pieces.push(take(false))
      }
      return pieces
    },
    end: () => (size === 0 ? [] : [take(false)]),
  }
}

/** The data of one event, its lines joined; undefined when it has none. */
export function dataOf(event: Uint8Array): string | undefined {
  const lines = new TextDecoder().decode(event).split(/\r\n|\n|\r/)
  const data = lines.flatMap((line) => (line.startsWith('data:') ? [line.slice(line.startsWith('data: ') ? 6 : 5)] : []))
  return data.length === 0 ? undefined : data.join('\n')
}
