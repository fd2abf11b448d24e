import type { Json } from '../canonical/json.ts'
import { fitsClosedType } from './evidence.ts'
import type { ValueType } from './flow.ts'

/** The closed types that can be read out of a text. */
export const EXTRACT_TYPES = ['flag', 'number', 'amount', 'date', 'enum'] as const
export type ExtractType = (typeof EXTRACT_TYPES)[number]

/** What is looked for. `words` are the values of an `enum`: one word each. */
export interface Extraction {
  readonly type: ExtractType
  readonly words?: readonly string[]
}

const MAX_TEXT_LENGTH = 20_000
const MAX_WORDS = 32
const WORD = /^[\p{L}\p{N}_-]{1,32}$/u

/**
 * Reads one value of a closed type out of a text that a stranger controls (I9): the only way in which such a text may reach a planner that
 * is not shown it. Pure and strict: the text holds exactly one such value, however often, or there is no answer. What could be read in two
 * ways (`1,234`, `05/06/2024`) is no answer either. What is answered fits its type, so that it is too small to carry an instruction.
 */
export function extractClosed(text: string, { type, words = [] }: Extraction): Json | undefined {
  if (text.length > MAX_TEXT_LENGTH) return undefined
  const found = new Set(READERS[type](text, words))
  const [only] = found
  if (found.size !== 1 || only === undefined) return undefined
  return fitsClosedType(only, type satisfies ValueType) ? only : undefined
}

/** Each value that stands in the text; undefined for one that could be read in two ways. */
type Reader = (text: string, words: readonly string[]) => readonly (string | number | boolean | undefined)[]

const READERS: Readonly<Record<ExtractType, Reader>> = {
  flag: (text) => wordsOf(text).flatMap((word) => (YES.includes(word) ? [true] : NO.includes(word) ? [false] : [])),
  number: (text) => [...text.matchAll(NUMERAL)].map(([numeral]) => numberIn(numeral)),
  amount: (text) => [...text.matchAll(AMOUNT)].map(([, before = '', after = '']) => numberIn(before === '' ? after : before)),
  date: (text) => [...text.matchAll(DATE)].map(([date]) => dateIn(date)),
  enum(text, words) {
    if (words.length > MAX_WORDS || !words.every((word) => WORD.test(word))) return []
    const present = new Set(wordsOf(text))
    return words.filter((word) => present.has(word.toLowerCase()))
  },
}

const YES: readonly string[] = ['yes', 'true']
const NO: readonly string[] = ['no', 'false', 'not']

function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}_-]+/gu) ?? []
}

const DIGITS = String.raw`-?\d(?:[\d.,' ]{0,20}\d)?`
/** Digits that are no part of a word, a date or a code. */
const NUMERAL = /(?<![\p{L}\p{N}_.,:/#-])-?\d(?:[\d.,']{0,20}\d)?(?![\p{L}\p{N}_]|[-:/]\d)/gu
const AMOUNT = new RegExp(
  String.raw`(?<![\p{L}\p{N}])(?:[$€£¥]|[A-Z]{3}) ?(${DIGITS})(?![\p{L}\p{N}])|(?<![\p{L}\p{N}.,])(${DIGITS}) ?(?:[$€£¥]|[A-Z]{3})(?![\p{L}\p{N}])`,
  'gu',
)

/** A number as most people write it; undefined when a separator could be one of thousands or of decimals. */
function numberIn(numeral: string): number | undefined {
  if (/^-?\d{1,15}$/.test(numeral)) return Number(numeral)
  if (/^-?\d{1,15}[.,]\d{1,2}$/.test(numeral)) return Number(numeral.replace(',', '.'))
  const decimal = /^-?\d{1,3}(?:([,.'])\d{3})(?:\1\d{3})*([.,])\d{1,2}$/.exec(numeral)
  if (decimal !== null && decimal[1] !== decimal[2]) return Number(numeral.replace(/[.,'](?=\d{3})/g, '').replace(',', '.'))
  if (/^-?\d{1,3}(?:([,.'])\d{3})(?:\1\d{3})+$/.test(numeral)) return Number(numeral.replace(/[.,']/g, ''))
  return undefined
}

/** A day in digits, in any order: only the order of ISO 8601 can be read in one way. */
const DATE = /(?<![\p{L}\p{N}_./-])\d{1,4}([-./])\d{1,2}\1\d{1,4}(?![\p{L}\p{N}_/-]|\.\d)/gu

function dateIn(text: string): string | undefined {
  const [, year = 0, month = 0, day = 0] = (/^(\d{4})-(\d{2})-(\d{2})$/.exec(text) ?? []).map(Number)
  return day >= 1 && day <= daysIn(year, month) ? text : undefined
}

function daysIn(year: number, month: number): number {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0
}
