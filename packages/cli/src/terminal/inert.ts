// Controls but line feed and tab; format characters (zero-width, bidirectional, soft hyphen, BOM); line and paragraph separators; and
// the plane of tags and variation selectors, in which text can be hidden.
const UNSEEN = /[^\P{Cc}\t\n]|\p{Cf}|[\u2028\u2029]|[\u{E0000}-\u{E0FFF}]/gu
// biome-ignore lint/suspicious/noControlCharactersInRegex: terminal sequences begin with an escape
const SEQUENCES = /\u001B(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\u0007\u001B]*(?:\u0007|\u001B\\)?|[ -/]*[0-~])/g

/** Makes a text that somebody else wrote safe for a terminal: no sequences, no controls, nothing that reorders or hides. */
export function inertText(text: string): string {
  return text.replace(SEQUENCES, '').replace(UNSEEN, '').toWellFormed()
}

/** Makes every text in an answer inert, names included. */
export function inert<T>(value: T): T {
  return walk(value) as T
}

function walk(value: unknown): unknown {
  if (typeof value === 'string') return inertText(value)
  if (Array.isArray(value)) return value.map(walk)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [inertText(key), walk(item)]))
}

/** JSON whose text is exactly the data, but inert: what a terminal might obey is escaped. */
export function inertJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(UNSEEN, (unsafe) => [...unsafe].map(escapeUnits).join(''))
}

function escapeUnits(character: string): string {
  return Array.from({ length: character.length }, (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`).join(
    '',
  )
}
