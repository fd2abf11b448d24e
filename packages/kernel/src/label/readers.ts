import { canonicalText } from './words.ts'
import type { Egress } from './flow.ts'

/** Who may read a value: every set of the list must cover a reader, so that joining two values is putting their sets together. */
export type Readers = readonly (readonly string[])[]

/** Joins two labels: what is made from both may be read by whoever may read both. */
export function joinReaders(a: Readers, b: Readers): Readers {
  if (b.length === 0 || b.every((set) => a.includes(set))) return a
  const keys = new Set(a.map(keyOf))
  const added = b.filter((set) => !set.includes('public') && !keys.has(keyOf(set)))
  return added.length === 0 ? a : [...a, ...added].toSorted((x, y) => (keyOf(x) < keyOf(y) ? -1 : 1))
}

function keyOf(set: readonly string[]): string {
  return set.toSorted().join('\u0000')
}

/** True when everyone who learns of a call may read everything in it: `recipients` are its non-empty targets. */
export function coversReaders(readers: Readers, egress: Egress, recipients: readonly string[]): boolean {
  if (egress === 'none') return true
  return readers.every((set) => covers(set, egress, recipients))
}

function covers(set: readonly string[], egress: Egress, recipients: readonly string[]): boolean {
  if (set.includes('public')) return true
  if (set.includes('internal') && egress === 'internal') return true
  return (
    recipients.length > 0 &&
    recipients.every((recipient) => {
      const name = canonicalText(recipient)
      const at = name.lastIndexOf('@')
      return set.some((reader) => reader.toLowerCase() === name || (at !== -1 && reader.toLowerCase() === name.slice(at)))
    })
  )
}
