import { isBorder } from './phrase.ts'

/** An amount of money in minor units (cents, fen). */
export interface Money {
  readonly minor: number
  readonly currency: string
}

/** How currencies are written besides their code. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  EUR: ['€', 'euros', 'euro', '欧元'],
  USD: ['US$', '$', 'dollars', 'dollar', '美元'],
  GBP: ['£', 'pounds', 'pound', '英镑'],
  CHF: ['francs', 'franc', '瑞士法郎'],
  CNY: ['RMB', '人民币', '元', '块钱', '¥', '￥'],
  JPY: ['yen', '日元', '円'],
}

const NUMBER = /\d[\d.,'\u00a0\u202f]{0,20}/gu
const MAX_MINOR = 1_000_000_000_000

/**
 * Finds the amounts of money in a text that name one of these currencies, before the number or behind it, in the order in which
 * they stand. Anything that can be read in two ways (`1.234` without decimals) is read as the larger amount.
 */
export function findMoney(text: string, currencies: readonly string[]): readonly Money[] {
  const found: Money[] = []
  const decimals = new Map(currencies.map((currency) => [currency, decimalsOf(currency)]))
  for (const match of text.matchAll(NUMBER)) {
    const digits = match[0].replace(/[.,'\u00a0\u202f]+$/u, '')
    const currency = currencyAt(text, { start: match.index, end: match.index + digits.length }, currencies)
    const minor = currency === undefined ? undefined : parseMinor(digits, decimals.get(currency) ?? 2)
    if (currency !== undefined && minor !== undefined) found.push({ minor, currency })
  }
  return found
}

function currencyAt(
  text: string,
  { start, end }: { start: number; end: number },
  currencies: readonly string[],
): string | undefined {
  const before = text
    .slice(Math.max(0, start - 8), start)
    .trimEnd()
    .toLowerCase()
  const after = text
    .slice(end, end + 8)
    .trimStart()
    .toLowerCase()
  const isNumber = isBorder(text, start) && text[start - 1] !== '-'
  const stands = (name: string): boolean =>
    (isNumber && after.startsWith(name) && isBorder(after, name.length)) ||
    (before.endsWith(name) && isBorder(before, before.length - name.length))
  return currencies.find((code) => [code, ...(NAMES[code] ?? [])].some((name) => stands(name.toLowerCase())))
}

/** `1,250.00`, `1.250,00`, `480`, `12.5`: the last separator with one or two digits behind it is the decimal one. */
function parseMinor(digits: string, decimals: number): number | undefined {
  const parts = /^(.*?)(?:[.,](\d{1,2}))?$/u.exec(digits)
  if (parts === null) return undefined
  const whole = (parts[1] ?? '').replaceAll(/[^\d]/gu, '')
  const fraction = parts[2] ?? ''
  if (fraction.length > decimals || whole === '') return undefined
  const minor = Number(`${whole}${fraction.padEnd(decimals, '0')}`)
  return Number.isSafeInteger(minor) && minor <= MAX_MINOR ? minor : undefined
}

/** Decimals of the minor unit: 2 for EUR, 0 for JPY. */
function decimalsOf(currency: string): number {
  return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
}
