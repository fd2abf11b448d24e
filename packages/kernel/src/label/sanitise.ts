import type { Json } from '../canonical/json.ts'

/** What was hidden in a text that came from outside. */
export const FINDING_KINDS = ['hidden_markup', 'invisible_characters', 'encoded_text', 'control_characters'] as const
export type FindingKind = (typeof FINDING_KINDS)[number]

/** One thing that sanitising took out; `path` is a JSON pointer into the output. */
export interface Finding {
  readonly path: string
  readonly kind: FindingKind
}

export interface Sanitised {
  readonly value: Json
  readonly findings: readonly Finding[]
}

// Zero-width characters, bidirectional controls, word joiner, soft hyphen, BOM and the Unicode tag block.
const INVISIBLE = /[\u00AD\u200B-\u200F\u202A-\u202E\u2060-\u2064\u2066-\u2069\uFEFF]|\uDB40[\uDC00-\uDC7F]/g
// C0 and C1 controls but tab, line feed and carriage return; the escape that starts a terminal sequence is among them.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are exactly the characters to remove
const CONTROL = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]/g
const BASE64 = /[A-Za-z0-9+/_-]{32,}={0,2}/g
const WORDS = /^[\p{L}\p{N}\p{P}\p{Zs}\s]{16,}$/u

/**
 * Removes from every text of a value what a person reading it would not see: hidden markup, invisible and control characters, and
 * text wrapped in base64. What is visible stays. Pure; linear in the size of the value.
 *
 * A finding does not make the rest of the text safe: it says that somebody tried, and lowers the confidence of the run.
 */
export function sanitise(value: Json): Sanitised {
  if (isClean(value)) return { value, findings: [] }
  const findings: Finding[] = []
  return { value: cleanValue(value, '', findings), findings }
}

/** What every text has that one of the steps below changes. */
const SUSPECT =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: as in CONTROL
  /[<\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u00AD\u200B-\u200F\u202A-\u202E\u2060-\u2064\u2066-\u2069\uFEFF\uDB40]|[A-Za-z0-9+/_-]{32}/

/** True when there is certainly nothing to remove, as in nearly every answer. False says nothing. */
function isClean(value: Json): boolean {
  if (typeof value === 'string') return !SUSPECT.test(value)
  if (typeof value !== 'object' || value === null) return true
  if (isArray(value)) return value.every(isClean)
  for (const key of Object.keys(value)) if (!isClean(value[key] ?? null)) return false
  return true
}

function cleanValue(value: Json, path: string, findings: Finding[]): Json {
  if (typeof value === 'string') return cleanText(value, path, findings)
  if (typeof value !== 'object' || value === null) return value
  if (isArray(value)) return mapUnlessSame(value, (item, i) => cleanValue(item, `${path}/${i}`, findings))
  let changed = false
  const entries = Object.entries(value).map(([key, item]): [string, Json] => {
    const clean = cleanValue(item, `${path}/${escapePointer(key)}`, findings)
    changed ||= clean !== item
    return [key, clean]
  })
  return changed ? Object.fromEntries(entries) : value
}

function cleanText(text: string, path: string, findings: Finding[]): string {
  const steps: readonly (readonly [FindingKind, (text: string) => string])[] = [
    ['invisible_characters', (t) => t.replace(INVISIBLE, '')],
    ['control_characters', (t) => t.replace(CONTROL, '')],
    ['hidden_markup', removeMarkup],
    ['encoded_text', (t) => t.replace(BASE64, (run) => (hidesText(run) ? '[encoded text removed]' : run))],
  ]
  let clean = text
  for (const [kind, step] of steps) {
    const next = step(clean)
    if (next !== clean) findings.push({ path, kind })
    clean = next
  }
  return clean
}

/** Takes out comments, elements that are not shown, and tags; the text of what is shown stays. Single pass, no backtracking. */
function removeMarkup(text: string): string {
  if (!text.includes('<')) return text
  let out = ''
  let hiddenUntil: string | null = null
  let at = 0
  while (at < text.length) {
    const open = text.indexOf('<', at)
    const visible = text.slice(at, open === -1 ? text.length : open)
    if (hiddenUntil === null) out += visible
    if (open === -1) break
    if (text.startsWith('<!--', open)) {
      const end = text.indexOf('-->', open + 4)
      at = end === -1 ? text.length : end + 3
      continue
    }
    const close = text.indexOf('>', open + 1)
    const next = text.charCodeAt(open + 1) | 0x20
    const isTag = close !== -1 && ((next >= 0x61 && next <= 0x7a) || text[open + 1] === '/')
    if (!isTag) {
      if (hiddenUntil === null) out += '<'
      at = open + 1
      continue
    }
    const tag = text.slice(open + 1, close).toLowerCase()
    const name = /^\/?[a-z][a-z0-9-]*/.exec(tag)?.[0] ?? ''
    if (hiddenUntil === null) hiddenUntil = isHidden(tag, name) ? name : null
    else if (name === `/${hiddenUntil}`) hiddenUntil = null
    at = close + 1
  }
  return out
}

function isHidden(tag: string, name: string): boolean {
  if (['script', 'style', 'template', 'noscript', 'iframe', 'object'].includes(name)) return true
  if (name.startsWith('/') || tag.endsWith('/') || ['br', 'hr', 'img', 'input', 'meta', 'link'].includes(name)) return false
  return /display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(?![.\d])|font-size\s*:\s*0|\shidden\b|aria-hidden\s*=\s*["']?true|color\s*:\s*(?:#fff(?:fff)?\b|white|transparent)/.test(
    tag,
  )
}

/** True when a run of base64 letters decodes to something that reads as text. */
function hidesText(run: string): boolean {
  const text = decodeAscii(run)
  return text !== undefined && /\s/.test(text) && WORDS.test(text)
}

function decodeAscii(run: string): string | undefined {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  let bits = 0
  let held = 0
  let text = ''
  for (const letter of run.replaceAll('-', '+').replaceAll('_', '/')) {
    if (letter === '=') break
    held = ((held << 6) | letters.indexOf(letter)) & 0xffffff
    bits += 6
    if (bits < 8) continue
    bits -= 8
    const byte = (held >> bits) & 0xff
    if (byte >= 0x80 || (byte < 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) return undefined
    text += String.fromCharCode(byte)
  }
  return text
}

function mapUnlessSame(items: readonly Json[], map: (item: Json, index: number) => Json): readonly Json[] {
  const mapped = items.map(map)
  return mapped.every((item, i) => item === items[i]) ? items : mapped
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}

function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}
