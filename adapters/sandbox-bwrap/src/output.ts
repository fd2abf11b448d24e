import { CODE_LENGTH, NONCE_LENGTH } from './runner.ts'

/** Bytes of the mark at the end of a stream: the nonce, and the exit code. */
const MARK_LENGTH = NONCE_LENGTH + CODE_LENGTH

const FIRST_BUFFER = 4_096

/** What one stream gave between two marks. */
export interface Gathered {
  readonly bytes: Uint8Array
  readonly truncated: boolean
}

/**
 * Gathers one stream of one command up to its mark, and never more than a limit.
 *
 * Who controls the bytes: the command. It cannot know the nonce, and the mark is the last thing that is written, so only the very end
 * of what has arrived is looked at.
 */
export class StreamGatherer {
  readonly #nonce: Buffer
  readonly #limit: number
  readonly #onBytes: (bytes: Uint8Array) => void
  #kept: Buffer = Buffer.alloc(0)
  #keptBytes = 0
  #truncated = false
  #held: Buffer = Buffer.alloc(0)
  #code: number | null = null

  constructor(nonce: string, limit: number, onBytes: (bytes: Uint8Array) => void) {
    this.#nonce = Buffer.from(nonce, 'latin1')
    this.#limit = limit
    this.#onBytes = onBytes
  }

  /** The exit code, once the mark has come. */
  get code(): number | null {
    return this.#code
  }

  push(chunk: Buffer): void {
    const data = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    const markAt = data.length - MARK_LENGTH
    if (markAt >= 0 && this.#nonce.equals(data.subarray(markAt, markAt + NONCE_LENGTH))) {
      this.#held = Buffer.alloc(0)
      this.#keep(data.subarray(0, markAt))
      this.#code = Number(data.toString('latin1', markAt + NONCE_LENGTH))
      return
    }
    const held = this.#startOfMark(data)
    this.#keep(data.subarray(0, data.length - held))
    this.#held = data.subarray(data.length - held)
  }

  /** What was gathered so far. What may be the start of a mark counts only when no mark can come any more. */
  take(): Gathered {
    this.#keep(this.#held)
    this.#held = Buffer.alloc(0)
    return { bytes: this.#kept.subarray(0, this.#keptBytes), truncated: this.#truncated }
  }

  /** How many of the last bytes may be the start of a mark. */
  #startOfMark(data: Buffer): number {
    for (let length = Math.min(MARK_LENGTH - 1, data.length); length > 0; length -= 1) {
      const start = data.length - length
      const compared = Math.min(length, NONCE_LENGTH)
      if (this.#nonce.subarray(0, compared).equals(data.subarray(start, start + compared))) return length
    }
    return 0
  }

  #keep(bytes: Buffer): void {
    const room = this.#limit - this.#keptBytes
    if (bytes.length > room) this.#truncated = true
    const kept = bytes.subarray(0, room)
    if (kept.length === 0) return
    this.#reserve(this.#keptBytes + kept.length)
    kept.copy(this.#kept, this.#keptBytes)
    this.#keptBytes += kept.length
    this.#onBytes(kept)
  }

  /** One growing buffer: a list of chunks would cost a hundred times the bytes of a command that writes them one by one. */
  #reserve(length: number): void {
    if (length <= this.#kept.length) return
    const grown = Buffer.alloc(Math.min(this.#limit, Math.max(length, 2 * this.#kept.length, FIRST_BUFFER)))
    this.#kept.copy(grown, 0, 0, this.#keptBytes)
    this.#kept = grown
  }
}
