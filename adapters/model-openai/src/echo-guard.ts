/**
 * Keeps a credential that an endpoint echoes out of the text that is passed on while it is still arriving (I8).
 *
 * It holds back the end of the text for as long as that could be the beginning of the secret; nothing is ever withheld from the
 * final text, which is checked as a whole with {@link EchoGuard.isIn}.
 */
export interface EchoGuard {
  /** Takes a piece of text and returns what may be passed on now. */
  pass(piece: string): string
  /** Returns what was held back. To be called once, after the whole text was checked. */
  release(): string
  /** True when the text holds the secret. */
  isIn(text: string): boolean
}

/** Secrets shorter than this are placeholders such as `none`, and occur in honest text. */
const SHORTEST_SECRET = 8

/** Guards one reply against one secret; without a secret it lets everything through. */
export function createEchoGuard(secret: string | undefined): EchoGuard {
  if (secret === undefined || secret.length < SHORTEST_SECRET) {
    return { pass: (piece) => piece, release: () => '', isIn: () => false }
  }
  let held = ''
  const pass = (piece: string): string => {
    const text = held + piece
    if (text.includes(secret)) {
      held = text
      return ''
    }
    const keep = overlap(text, secret)
    held = text.slice(text.length - keep)
    return text.slice(0, text.length - keep)
  }
  const release = (): string => {
    const rest = held
    held = ''
    return rest
  }
  // In the source text of JSON, quotes and backslashes of the secret are escaped.
  const escaped = JSON.stringify(secret).slice(1, -1)
  return { pass, release, isIn: (text) => text.includes(secret) || text.includes(escaped) }
}

/** Length of the longest end of `text` that is a beginning of `secret`, but not all of it. */
function overlap(text: string, secret: string): number {
  for (let length = Math.min(text.length, secret.length - 1); length > 0; length--) {
    if (secret.startsWith(text.slice(text.length - length))) return length
  }
  return 0
}
