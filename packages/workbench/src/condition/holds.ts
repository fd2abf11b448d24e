import { answer, type Sample } from './answers.ts'
import type { Formula } from './formula.ts'

/**
 * Whether a formula holds of the given values; undefined when that depends on an opaque question whose answer is not known.
 */
export function holds(
  formula: Formula,
  sampleAt: (path: string) => Sample | undefined,
  opaque: (key: string) => boolean | undefined,
): boolean | undefined {
  const inner = (each: Formula): boolean | undefined => holds(each, sampleAt, opaque)
  switch (formula.kind) {
    case 'constant':
      return formula.value
    case 'opaque':
      return opaque(formula.key)
    case 'test':
      return answer(formula.test, sampleAt(formula.path))
    case 'not': {
      const value = inner(formula.of)
      return value === undefined ? undefined : !value
    }
    case 'all':
    case 'any':
      return joined(formula.of.map(inner), formula.kind === 'any')
  }
}

/** One answer that settles it, settles it; otherwise one that is not known leaves it open. */
function joined(answers: readonly (boolean | undefined)[], settles: boolean): boolean | undefined {
  if (answers.includes(settles)) return settles
  return answers.includes(undefined) ? undefined : !settles
}
