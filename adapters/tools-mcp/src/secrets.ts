import type { Json } from '@tidegate/kernel'
import type { Given } from './server.ts'

/** Secrets shorter than this are not looked for: they would be found in innocent words. */
const MIN_LENGTH = 8

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]+/g

/** The secrets that one server was given: remembered, and kept out of everything that comes back (I8). */
export interface Secrets {
  /** The text of a value for a server. */
  reveal(given: Given): Promise<string>
  /** A message for people, one line, at most 500 characters, with every secret given so far struck out. */
  clean(text: string): string
  /** True when a value holds a secret that was given. */
  leaks(value: Json): boolean
}

/** How many values are remembered: secrets rotate, and an old one in an answer is still a secret. */
const REMEMBERED = 64

/** Keeps track of what a server is given. */
export function createSecrets(source: (name: string) => Promise<string>): Secrets {
  const known = new Set<string>()
  const holds = (text: string): boolean => {
    for (const secret of known) if (text.includes(secret)) return true
    return false
  }
  const leaks = (value: Json): boolean => {
    if (known.size === 0) return false
    if (typeof value === 'string') return holds(value)
    if (typeof value !== 'object' || value === null) return false
    return Object.entries(value).some(([key, member]) => holds(key) || leaks(member))
  }
  return {
    async reveal(given) {
      if ('value' in given) return given.value
      const secret = await source(given.secret)
      if (secret.length >= MIN_LENGTH) {
        known.delete(secret)
        known.add(secret)
        const [oldest] = known
        if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest)
      }
      return `${given.prefix ?? ''}${secret}`
    },
    clean(text) {
      let clean = text.slice(0, 4_000)
      // The longest first: a secret that begins with another would leave its tail behind.
      for (const secret of [...known].sort((a, b) => b.length - a.length)) clean = clean.replaceAll(secret, '[secret]')
      return clean.replace(CONTROL, ' ').slice(0, 500).toWellFormed()
    },
    leaks,
  }
}
