import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openGoverned, type PolicyKind } from './governed.ts'
import { ACTIONS_PER_RUN, parseCount } from './child-arguments.ts'
import { drive, quantile } from './load.ts'
import type { Measurement } from './report-line.ts'
import { microsPerAction, readThreadMicros, type ThreadMicros } from './thread-cpu.ts'

/** What is measured: a policy that always permits, everything switched on, one action at a time, or memory over time. */
const MODES = ['constant', 'full', 'one', 'memory'] as const

const { values } = parseArgs({
  options: {
    mode: { type: 'string', default: 'constant' },
    actions: { type: 'string', default: '20000' },
    'in-flight': { type: 'string', default: '64' },
    seconds: { type: 'string', default: '10' },
    'per-run': { type: 'string', default: String(ACTIONS_PER_RUN) },
  },
})
const mode = MODES.find((known) => known === values.mode)
if (mode === undefined) throw new Error(`--mode is one of ${MODES.join(', ')}`)
const load = {
  actions: parseCount('--actions', values.actions, 100_000_000),
  inFlight: mode === 'one' ? 1 : parseCount('--in-flight', values['in-flight'], 10_000),
  seconds: parseCount('--seconds', values.seconds, 3_600),
  actionsPerRun: parseCount('--per-run', values['per-run'], 50),
}
const directory = mkdtempSync(join(tmpdir(), 'tidegate-ours-'))
try {
  if (mode === 'memory') await watchMemory(directory)
  else console.log(JSON.stringify(await measure(directory, mode === 'full' ? 'full' : 'constant')))
} finally {
  rmSync(directory, { recursive: true, force: true })
}

/** Whole runs through the real harness, journal and ledger; the connector does nothing, as the effect of every peer does. */
async function measure(into: string, policy: PolicyKind): Promise<Measurement & { readonly threadMicros?: ThreadMicros }> {
  const governed = await openGoverned(into, { policy })
  let before: ThreadMicros | undefined
  let done = 0
  const window = await drive(load, (id, actions, finished) => {
    if (id.startsWith('run-')) before ??= readThreadMicros() // the first rounds warm up
    return governed.run(id, actions, (latencyMs) => {
      if (before !== undefined) done += 1
      finished(latencyMs)
    })
  })
  const after = readThreadMicros()
  const { size } = governed.head()
  await governed.close()
  const decided = policy === 'full' ? 'the balanced profile, six limits, tainted runs' : 'a constant policy'
  const notes = `whole runs: trigger, plan, admit, label, decide (${decided}), effect, validate, sanitise, success check; ${size} ledger entries, signed per commit, payloads encrypted`
  const threads = before === undefined || after === undefined ? {} : { threadMicros: microsPerAction(before, after, done) }
  const version = `node ${process.versions.node}`
  return { name: 'ours', version, inFlight: load.inFlight, ...window, ...threads, durable: 'fsync', notes }
}

/** Samples the heap and the process while very many actions go by. */
async function watchMemory(into: string): Promise<void> {
  const governed = await openGoverned(into, { policy: 'constant' })
  const samples: { actions: number; rssMb: number; heapMb: number }[] = []
  let done = 0
  const sample = (): void => {
    const { rss, heapUsed } = process.memoryUsage()
    samples.push({ actions: done, rssMb: Math.round(rss / 1_048_576), heapMb: Math.round(heapUsed / 1_048_576) })
  }
  const step = Math.max(1, Math.floor(load.actions / 20))
  let lane = 0
  await drive({ ...load, seconds: 3_600 }, (id, actions, finished) =>
    governed.run(`${id}-${lane++}`, actions, (latencyMs) => {
      done += 1
      if (done % step === 0) sample()
      finished(latencyMs)
    }),
  )
  await governed.close()
  const later = samples
    .slice(Math.floor(samples.length / 4))
    .map(({ rssMb }) => rssMb)
    .toSorted((a, b) => a - b)
  console.log(JSON.stringify({ actions: done, rssMb: { p50: quantile(later, 0.5), max: later.at(-1) ?? 0 }, samples }))
}
