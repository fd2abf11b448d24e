import { parseArgs } from 'node:util'
import { replayCommand, runSeeds, type Tally } from './run/sweep.ts'
import { simulate } from './run/simulate.ts'

const USAGE = `npm run sim -- [--seeds 2000] [--from 1] [--json]    many seeds; exit code 1 if an invariant broke
npm run sim -- --seed 7 [--crash-at 12] [--json]      one seed again, with a trace of everything that happened
`

/** How many findings are told in full. */
const MAX_TOLD = 20

async function main(args: readonly string[]): Promise<number> {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean', default: false } as const
  const { values } = parseArgs({
    args: [...args],
    options: { seeds: text, from: text, seed: text, 'crash-at': text, json: flag, help: flag },
  })
  if (values.help) {
    process.stdout.write(USAGE)
    return 0
  }
  if (values.seed !== undefined) {
    const crashAt = values['crash-at']
    return replay(number('seed', values.seed), crashAt === undefined ? undefined : number('crash-at', crashAt), values.json)
  }
  return many({ from: number('from', values.from ?? '1'), count: number('seeds', values.seeds ?? '2000'), json: values.json })
}

function number(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0 || value > 0xffff_ffff)
    throw new RangeError(`--${name} must be a whole number from 0 to 4294967295, not "${text}".`)
  return value
}

async function many({ from, count, json }: { from: number; count: number; json: boolean }): Promise<number> {
  const every = Math.max(1, Math.floor(count / 20))
  const onSeed = ({ seeds, crashPoints, findings }: Tally): void => {
    if (seeds % every === 0)
      process.stderr.write(`${seeds} of ${count} seeds, ${crashPoints} crash points, ${findings.length} violations\n`)
  }
  const { seeds, crashPoints, faults, findings } = await runSeeds({ from, count, onSeed })
  for (const finding of findings.slice(0, MAX_TOLD)) {
    process.stderr.write(
      `${finding.invariant} broke with seed ${finding.seed}: ${finding.message}\n  see it again: ${replayCommand(finding)}\n`,
    )
  }
  const totals = { seeds, crashPoints, faults, violations: findings.length }
  process.stdout.write(
    json
      ? `${JSON.stringify(totals)}\n`
      : `${seeds} seeds, ${crashPoints} crash points, ${faults} faults, ${findings.length} violations\n`,
  )
  return findings.length === 0 ? 0 : 1
}

async function replay(seed: number, crashAt: number | undefined, json: boolean): Promise<number> {
  const outcome = await simulate({ seed, ...(crashAt === undefined ? {} : { crashAt }) })
  const { violations, trace, hash, crashPoints, faults } = outcome
  if (json) process.stdout.write(`${JSON.stringify({ seed, crashPoints, faults, violations, hash })}\n`)
  else
    process.stdout.write(
      `${trace.join('\n')}\n\n${violations.map(({ invariant, message }) => `${invariant} broke: ${message}\n`).join('')}trace ${hash}\n`,
    )
  return violations.length === 0 ? 0 : 1
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
  process.exitCode = 2
}
