import { parseArgs } from 'node:util'
import { BenchError } from './error.ts'
import type { Load } from './load.ts'

/** Actions in one run of every contender, so that starting and finishing a run is shared by twenty durable steps. */
export const ACTIONS_PER_RUN = 10

/** Parses what main.ts passes to a contender: `--actions N --in-flight K --seconds S`, or throws `arguments_invalid`. */
export function parseLoad(argv: readonly string[]): Load {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      actions: { type: 'string', default: '20000' },
      'in-flight': { type: 'string', default: '64' },
      seconds: { type: 'string', default: '10' },
    },
  })
  return {
    actions: parseCount('--actions', values.actions, 100_000_000),
    inFlight: parseCount('--in-flight', values['in-flight'], 10_000),
    seconds: parseCount('--seconds', values.seconds, 3_600),
    actionsPerRun: ACTIONS_PER_RUN,
  }
}

/** Parses a whole number from 1 to `most`, or throws `arguments_invalid` naming the option. */
export function parseCount(option: string, value: string, most: number): number {
  const count = /^\d{1,12}$/.test(value) ? Number(value) : 0
  if (count < 1 || count > most) throw new BenchError('arguments_invalid', `${option} must be a whole number from 1 to ${most}`)
  return count
}
