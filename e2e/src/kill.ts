import { parseArgs } from 'node:util'
import { killRounds } from './kill-rounds.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})
if (!/^[1-9][0-9]{0,4}$/.test(values.rounds) || !/^[0-9]{1,9}$/.test(values.seed)) {
  process.stderr.write('Usage: npm run e2e:kill -- [--rounds 1..99999] [--seed N] [--json]\n')
  process.exit(2)
}
const startedAtMs = performance.now()
const say = (line: string): void =>
  void process.stderr.write(`${Math.round((performance.now() - startedAtMs) / 1000)}s ${line}\n`)

const { problems, ...report } = await killRounds({ rounds: Number(values.rounds), seed: Number(values.seed), say })
for (const problem of problems) say(problem)
process.stdout.write(
  values.json
    ? `${JSON.stringify(report)}\n`
    : `${Object.entries(report)
        .map(([name, value]) => `${name.padEnd(16)} ${value}`)
        .join('\n')}\n`,
)
process.exitCode = problems.length === 0 && report.kills === report.rounds ? 0 : 1
