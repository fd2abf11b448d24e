/** A number as a text states it. */
export interface Quantity {
  readonly value: number
  readonly percent: boolean
}

const NUMBER = /(?<![\p{L}\p{N}_.-])[-+]?[$€£¥]?(\d{1,3}(?:,\d{3})+|\d{1,15})(\.\d{1,6})?\s?(%)?(?![\p{L}\p{N}_]|[-./:]\d)/gu
const NUMBER_WORDS = 'zero one two three four five six seven eight nine ten eleven twelve'.split(' ')
const MAX_QUANTITIES = 64

/** The numbers that a text states, in digits or as words up to twelve. Digits inside names, dates and accounts are none. */
export function quantitiesIn(text: string): readonly Quantity[] {
  const found = [...text.matchAll(NUMBER)].map(([, whole = '', fraction = '', percent]) => ({
    value: Number(whole.replaceAll(',', '') + fraction),
    percent: percent !== undefined,
  }))
  const spelled = text
    .toLowerCase()
    .split(/[^\p{L}]+/u)
    .flatMap((word) => (NUMBER_WORDS.includes(word) ? [{ value: NUMBER_WORDS.indexOf(word), percent: false }] : []))
  return [...found, ...spelled].slice(0, MAX_QUANTITIES)
}

/** A number or a text that is nothing but a number, as a number. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value !== 'string' || value.length > 24) return undefined
  const match = /^[$€£¥]?(-?\d{1,3}(?:,\d{3})+|-?\d{1,15})(\.\d{1,6})?(?:\s?[A-Z]{3}|[$€£¥])?$/.exec(value.trim())
  return match === null ? undefined : Number((match[1] ?? '').replaceAll(',', '') + (match[2] ?? ''))
}

/** How many numbers of each kind {@link isDerived} works with; beyond it, too many results would be reachable for the match to mean much. */
const MAX_OPERANDS = 24
const CENT = 0.005

/**
 * True when an amount follows from what the task and trusted records say by the arithmetic of everyday errands: a sum, difference or
 * product of two numbers, a percentage of one, or such a result with one more number of the task added or taken away.
 *
 * At least one operand comes from the task, and none is used twice, so that what is reachable stays within a few thousand amounts that
 * all follow from the task's own numbers.
 */
export function isDerived(amount: number, task: readonly Quantity[], recorded: readonly number[]): boolean {
  const own = task.slice(0, MAX_OPERANDS)
  const known = recorded.slice(0, MAX_OPERANDS)
  if (own.length > 8) return false
  for (let i = 0; i < own.length; i++) {
    const first = own[i]
    if (first === undefined) continue
    const others = own.filter((_, j) => j !== i)
    const second = [...known, ...others.filter((q) => !q.percent).map((q) => q.value)]
    for (const operand of second) {
      for (const result of resultsOf(first, operand)) {
        if (near(result, amount)) return true
        for (const third of others) {
          if (
            !third.percent &&
            third.value !== operand &&
            (near(result + third.value, amount) || near(result - third.value, amount))
          )
            return true
        }
      }
    }
  }
  return false
}

function resultsOf({ value, percent }: Quantity, operand: number): readonly number[] {
  if (percent) return [(operand * value) / 100, operand * (1 + value / 100), operand * (1 - value / 100)]
  // A count is a small whole number; it shares an amount out or repeats it.
  const isCount = Number.isInteger(value) && value >= 2 && value <= 12
  return [operand + value, operand - value, value - operand, ...(isCount ? [operand * value, operand / value] : [])]
}

function near(a: number, b: number): boolean {
  return a > 0 && Math.abs(a - b) < CENT
}
