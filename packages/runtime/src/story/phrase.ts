import { factsOf, isObject, type Json, leavesOf, type Operation, type RunState, segmentsOf, valueAt } from '@tidegate/kernel'

const CLIP = 120

/** One line of at most `length` characters, without line breaks. */
export function oneLine(text: string, length = CLIP): string {
  const flat = text.replace(/\s+/gu, ' ').trim()
  return flat.length > length ? `${flat.slice(0, length - 3)}...` : flat
}

/** Joins parts as one says them: "a", "a and b", "a, b and c". */
export function listed(parts: readonly string[]): string {
  const last = parts.at(-1)
  return parts.length < 2 ? (last ?? '') : `${parts.slice(0, -1).join(', ')} and ${last}`
}

/** A call in words. */
export interface CallPhrase {
  /** The title of the operation and the records: what is about to be decided. */
  readonly short: string
  /** The same with the other arguments: what is touched. */
  readonly full: string
}

/** What a call is about, in words. What a read takes besides its records interests nobody. */
export function phraseCall(operation: Operation | undefined, id: string, args: Json, currency: string | undefined): CallPhrase {
  const records = operation === undefined ? [] : recordsOf(operation, args)
  const named =
    records.length === 0
      ? ''
      : `: ${records.slice(0, 5).join(', ')}${records.length > 5 ? ` and ${records.length - 5} more` : ''}`
  const rest = leavesOf(args)
    .filter(([pointer]) => !(operation?.records ?? []).some((record) => pointer === record || pointer.startsWith(`${record}/`)))
    .flatMap(([pointer, value]) => phraseLeaf(pointer, value, currency))
  const details = operation?.mutability === 'read' || rest.length === 0 ? '' : `, ${rest.slice(0, 6).join(', ')}`
  const title = operation?.title ?? `An operation that nobody declared (${oneLine(id, 80)})`
  return { short: `${title}${named}`, full: `${title}${named}${details}` }
}

/**
 * The one currency that a run has met, or undefined when there is none or more than one: an amount without its currency is better
 * than one with the wrong one. The action's own preview and output count before all else that was seen.
 */
export function currencyOf(state: RunState, near: readonly Json[]): string | undefined {
  return oneCurrency(near) ?? oneCurrency([...factsOf(state).seen.values()])
}

function oneCurrency(values: readonly Json[]): string | undefined {
  const found = new Set(
    values.flatMap((value) =>
      leavesOf(value)
        .filter(([pointer, leaf]) => pointer.endsWith('/currency') && typeof leaf === 'string' && /^[A-Z]{3}$/.test(leaf))
        .map(([, leaf]) => String(leaf)),
    ),
  )
  const [currency] = found
  return found.size === 1 ? currency : undefined
}

/** `EUR 480.00` from 48000 and EUR; without a currency, two decimals. */
export function phraseMoney(minor: number, currency: string | undefined): string {
  const digits = currency === undefined ? 2 : fractionDigits(currency)
  const amount = (minor / 10 ** digits).toFixed(digits)
  return currency === undefined ? amount : `${currency} ${amount}`
}

/** A value that a planner noted, in words: `refund (95 % sure)`, `invoice inv-5004`, `amount EUR 480.00`. */
export function phraseValue(value: Json): string {
  if (typeof value === 'string') return value
  if (value === null) return 'none'
  if (Array.isArray(value)) return listed(value.slice(0, 5).map(phraseValue))
  if (!isObject(value)) return String(value)
  const { minor, currency, class: kind, confidence, ...rest } = value
  if (typeof minor === 'number' && typeof currency === 'string' && /^[A-Z]{3}$/.test(currency))
    return phraseMoney(minor, currency)
  const sure = typeof confidence === 'number' ? ` (${confidence / 100} % sure)` : ''
  const named = typeof kind === 'string' ? [`${kind}${sure}`] : []
  return [...named, ...Object.entries(rest).map(([key, item]) => `${phraseKey(key)} ${phraseValue(item)}`)].join(', ')
}

/** The name of an argument or a field as one says it: `invoiceId` is an invoice, `billingAddress` a billing address. */
function phraseKey(key: string): string {
  const words = key.replace(/(?<=[a-z])Id$/, '').replace(/(?<=[a-z])[A-Z]/g, (capital) => ` ${capital.toLowerCase()}`)
  return oneLine(words, 40)
}

function fractionDigits(currency: string): number {
  return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
}

function recordsOf(operation: Operation, args: Json): readonly string[] {
  return operation.records.flatMap((pointer) => {
    const value = valueAt(args, pointer)
    const values = Array.isArray(value) ? (value as readonly Json[]) : [value]
    return values.filter((id) => typeof id === 'string' || typeof id === 'number').map((id) => oneLine(String(id), 60))
  })
}

function phraseLeaf(pointer: string, value: Json, currency: string | undefined): readonly string[] {
  const key = segmentsOf(pointer).at(-1) ?? ''
  if (value === null || isObject(value) || Array.isArray(value)) return []
  if (typeof value === 'number' && Number.isInteger(value) && key.endsWith('Minor')) return [phraseMoney(value, currency)]
  return [`${phraseKey(key)} ${typeof value === 'string' ? `"${oneLine(value, 60)}"` : String(value)}`]
}
