import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { CHAPTERS } from './chapters.ts'
import { installOpenClaw, RELEASES, type Release } from './install.ts'
import { setStage } from './stage.ts'

// `npm run e2e:openclaw -- --version 2026.5.7|2026.9.6|all [--only TEXT,TEXT] [--cache DIRECTORY]`: the real OpenClaw against the real server.
// OpenClaw is installed from npm first (once, into the cache); everything else happens in a network namespace that has only a loopback.

const { values } = parseArgs({
  options: {
    version: { type: 'string', default: 'all' },
    only: { type: 'string', default: '' },
    cache: { type: 'string', default: join(tmpdir(), 'tidegate-openclaw-cache') },
    inside: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
})
const releases = Object.keys(RELEASES).filter((release): release is Release => [release, 'all'].includes(values.version))
if (releases.length === 0) {
  console.error(`There is no ${values.version} here. Use one of: ${Object.keys(RELEASES).join(', ')}, all.`)
  process.exit(2)
}
const installed = releases.map((release) => installOpenClaw(release, values.cache))

if (!values.inside) {
  const flags = process.getuid?.() === 0 ? ['-n'] : ['-rn']
  const again = [process.execPath, fileURLToPath(import.meta.url), ...process.argv.slice(2), '--inside']
  const { status, error } = spawnSync('unshare', [...flags, 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...again], {
    stdio: 'inherit',
  })
  if (error !== undefined) console.error(`No network namespace can be made (${error.message}), and without one nothing is tried.`)
  process.exit(status ?? 1)
}

const wanted = values.only.split(',').map((part) => part.trim())
let failed = 0
for (const each of installed) {
  const stage = await setStage(each)
  try {
    await tryOut(stage)
  } catch (error) {
    failed += 1
    console.log(`${each.release} | stage | FAILED | ${error instanceof Error ? error.message : String(error)}`)
  } finally {
    await stage.close()
  }
}
console.log(failed === 0 ? 'All of it holds.' : `${failed} failed.`)
process.exit(failed === 0 ? 0 : 1)

async function tryOut(stage: Awaited<ReturnType<typeof setStage>>): Promise<void> {
  const { gate, host } = stage
  for (const { title, host: connected, server, cases } of CHAPTERS) {
    const chosen = cases.filter(({ name }) => wanted.some((part) => `${title}: ${name}`.includes(part)))
    if (chosen.length === 0) continue
    gate.setMode(server)
    await gate.start()
    await stage.connect(connected)
    await host.start()
    await greeted(gate)
    for (const { name, run } of chosen) {
      const started = Date.now()
      const [state, seen] = await run(stage).then(
        (answer) => ['ok', answer] as const,
        (error: unknown) => ['FAILED', error instanceof Error ? error.message : String(error)] as const,
      )
      if (state === 'FAILED') failed += 1
      console.log(`${stage.release} | ${title}: ${name} | ${state} | ${seen} | ${((Date.now() - started) / 1000).toFixed(1)} s`)
      if (state === 'FAILED' && values.verbose) console.log(host.output().slice(-4000), gate.output().slice(-2000))
    }
    await host.stop()
    await gate.stop()
    const left = stage.leftOfUs()
    if (left.length > 0) failed += 1
    console.log(
      `${stage.release} | ${title}: disconnected | ${left.length === 0 ? 'ok' : 'FAILED'} | left of us: ${left.join(', ') || 'nothing'}`,
    )
  }
}

/** The plugin has said that it is there, and so knows the mode of the server. */
async function greeted(gate: Awaited<ReturnType<typeof setStage>>['gate']): Promise<void> {
  const deadline = Date.now() + 120_000
  while ((await gate.host()).hostVersion === null) {
    if (Date.now() > deadline) throw new Error('The plugin has not said that it is there.')
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}
