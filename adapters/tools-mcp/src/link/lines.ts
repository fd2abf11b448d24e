/** What a reader of lines tells. */
export interface LineSink {
  readonly line: (text: string) => void
  /** A line was too long and was skipped: how it began and how it ended. */
  readonly skipped: (head: string, tail: string, bytes: number) => void
}

const SHOWN = 512

/**
 * Cuts a stream of bytes into lines of at most so many bytes. A line that is longer is not kept in memory: it is skipped to its end.
 */
export function createLineReader(maxBytes: number, sink: LineSink): (chunk: Buffer) => void {
  let parts: Buffer[] = []
  let size = 0
  let head = ''
  let tail = Buffer.alloc(0)
  let skipping = false
  const add = (piece: Buffer): void => {
    size += piece.length
    if (!skipping && size > maxBytes) {
      skipping = true
      head = (parts[0] ?? piece).subarray(0, SHOWN).toString('utf8')
      parts = []
    }
    if (skipping) tail = Buffer.concat([tail, piece.subarray(-SHOWN)]).subarray(-SHOWN)
    else if (piece.length > 0) parts.push(piece)
  }
  const end = (): void => {
    const [only] = parts
    if (skipping) sink.skipped(head, tail.toString('utf8'), size)
    else sink.line((parts.length === 1 && only !== undefined ? only : Buffer.concat(parts)).toString('utf8'))
    parts = []
    size = 0
    tail = Buffer.alloc(0)
    skipping = false
  }
  return (chunk) => {
    let from = 0
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, from)) {
      add(chunk.subarray(from, at))
      end()
      from = at + 1
    }
    add(chunk.subarray(from))
  }
}
