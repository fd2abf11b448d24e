import type { EntityUid } from './value.ts'

/** What is escaped inside quotes: quotes, backslashes, control and format characters, spaces other than a blank, marks that combine. */
const ESCAPED = /["'\\]|[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}]|(?! )\p{Zs}|^\p{M}/gu
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\0': '\\0' }

/** An entity's name as Cedar writes it: `Type::"id"`. */
export function uidText(uid: Pick<EntityUid, 'type' | 'id'>): string {
  return `${uid.type}::${quoted(uid.id)}`
}

/** A string in Cedar's quotes, readable in one line. */
export function quoted(text: string): string {
  const escaped = text.replace(ESCAPED, (unit) => {
    if (unit === '"' || unit === "'" || unit === '\\') return `\\${unit}`
    return SHORT[unit] ?? `\\u{${(unit.codePointAt(0) ?? 0).toString(16)}}`
  })
  return `"${escaped}"`
}
