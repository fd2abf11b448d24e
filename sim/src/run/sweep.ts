import { type Outcome, simulate, type SimulateOptions } from './simulate.ts'

/** One run of the whole system that broke an invariant, and how to see it again. */
export interface Finding {
  readonly seed: number
  readonly crashAt: number | undefined
  readonly invariant: string
  readonly message: string
}

/** What many simulations found. */
export interface Tally {
  readonly seeds: number
  /** Crashes at a durable write or next to an effect. */
  readonly crashPoints: number
  readonly faults: number
  readonly findings: readonly Finding[]
}

/** Every so many seeds are swept: run again and again, with the crash at each of their crash points in turn. */
const SWEEP_EVERY = 6

/** Runs the seeds, and sweeps some of them. `onSeed` hears how far it is. */
export async function runSeeds(options: {
  readonly from: number
  readonly count: number
  readonly onSeed?: (tally: Tally) => void
}): Promise<Tally> {
  let tally: Tally = { seeds: 0, crashPoints: 0, faults: 0, findings: [] }
  for (let seed = options.from; seed < options.from + options.count; seed++) {
    const outcomes = [await simulate({ seed }), ...(seed % SWEEP_EVERY === 0 ? await sweep(seed) : [])]
    tally = outcomes.reduce(addOutcome, { ...tally, seeds: tally.seeds + 1 })
    options.onSeed?.(tally)
  }
  return tally
}

/** Runs a seed once without a crash, and then once for each crash point that it passed, with the crash there. */
export async function sweep(seed: number, tamper: SimulateOptions['tamper'] = {}): Promise<readonly Outcome[]> {
  const outcomes = [await simulate({ seed, crashAt: 0, tamper })]
  const points = outcomes[0]?.points ?? 0
  for (let crashAt = 1; crashAt <= points; crashAt++) outcomes.push(await simulate({ seed, crashAt, tamper }))
  return outcomes
}

function addOutcome(tally: Tally, outcome: Outcome): Tally {
  const { seed, crashAt, violations } = outcome
  const findings = violations.map(({ invariant, message }): Finding => ({ seed, crashAt, invariant, message }))
  return {
    ...tally,
    crashPoints: tally.crashPoints + outcome.crashPoints,
    faults: tally.faults + outcome.faults,
    findings: findings.length === 0 ? tally.findings : [...tally.findings, ...findings],
  }
}

/** The command that shows a finding again. */
export function replayCommand({ seed, crashAt }: Pick<Finding, 'seed' | 'crashAt'>): string {
  return `npm run sim -- --seed ${seed}${crashAt === undefined ? '' : ` --crash-at ${crashAt}`}`
}
