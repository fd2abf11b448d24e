/** One line of a difference: added, removed, changed, or just said. */
export interface DifferenceLine {
  readonly sign: '+' | '-' | '~' | ' '
  readonly text: string
}

const MAX_LINES = 60
const MAX_VALUE = 200

/**
 * What a preview says would change. One with `before` and `after` is shown as the difference of the two; anything else, leaf by
 * leaf, as the tool wrote it.
 */
export function renderPreview(preview: unknown): readonly DifferenceLine[] {
  const lines =
    isRecord(preview) && 'before' in preview && 'after' in preview
      ? differ(preview.before, preview.after, preview)
      : said(preview)
  return lines.length > MAX_LINES
    ? [...lines.slice(0, MAX_LINES), { sign: ' ', text: `and ${lines.length - MAX_LINES} more` }]
    : lines
}

function differ(before: unknown, after: unknown, near: unknown): readonly DifferenceLine[] {
  const spoken = (value: unknown) => new Map(leaves(value, '').map(([path, text]) => [path, renderAmount(path, text, near)]))
  const old = spoken(before)
  const fresh = spoken(after)
  return [...new Set([...old.keys(), ...fresh.keys()])].flatMap((path): readonly DifferenceLine[] => {
    const from = old.get(path)
    const to = fresh.get(path)
    if (from === undefined) return [{ sign: '+', text: `${path}: ${to}` }]
    if (to === undefined) return [{ sign: '-', text: `${path}: ${from}` }]
    return from === to ? [] : [{ sign: '~', text: `${path}: ${from} -> ${to}` }]
  })
}

/** A value as it is; of an amount in minor units also what people call it, with the one currency that stands in `near`. */
export function renderAmount(path: string, text: string, near: unknown): string {
  if (!path.endsWith('Minor') || !/^-?\d{1,15}$/.test(text)) return text
  const found = new Set(
    leaves(near, '').flatMap(([at, value]) => (at.endsWith('currency') && /^[A-Z]{3}$/.test(value) ? [value] : [])),
  )
  const [currency] = found.size === 1 ? found : []
  const digits =
    currency === undefined
      ? 2
      : (new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2)
  const amount = (Number(text) / 10 ** digits).toFixed(digits)
  return `${text} (${currency === undefined ? amount : `${currency} ${amount}`})`
}

function said(value: unknown): readonly DifferenceLine[] {
  return leaves(value, '').map(([path, leaf]) => ({ sign: ' ', text: path === '' ? leaf : `${path}: ${leaf}` }))
}

/** The leaves of a value as dotted paths and texts, in order. */
export function leaves(value: unknown, path: string): readonly (readonly [string, string])[] {
  if (Array.isArray(value) && value.length > 0) return value.flatMap((item, i) => leaves(item, `${path}[${i}]`))
  if (isRecord(value) && Object.keys(value).length > 0) {
    return Object.entries(value).flatMap(([key, item]) => leaves(item, path === '' ? key : `${path}.${key}`))
  }
  const text = typeof value === 'string' ? value.replaceAll('\n', ' ') : JSON.stringify(value)
  return [[path, text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE - 3)}...` : text]]
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
