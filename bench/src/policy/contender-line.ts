import { parseArgs } from 'node:util'
import { parseCount } from '../child-arguments.ts'
import type { MeasureOptions } from './measure.ts'
import { MOST_POLICIES } from './sizes.ts'

/** Parses what `policy` passes to the program of an engine: `--policies N --milliseconds T`, or throws `arguments_invalid`. */
export function parseMeasureOptions(argv: readonly string[]): MeasureOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: { policies: { type: 'string', default: '10' }, milliseconds: { type: 'string', default: '2000' } },
  })
  return {
    policies: parseCount('--policies', values.policies, MOST_POLICIES),
    milliseconds: parseCount('--milliseconds', values.milliseconds, 600_000),
  }
}
