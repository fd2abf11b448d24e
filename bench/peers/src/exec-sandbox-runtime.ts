import { SandboxManager } from '@anthropic-ai/sandbox-runtime'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { summariseExec } from '../../src/exec/figures.ts'
import { COMMAND } from '../../src/exec/command.ts'

const { values } = parseArgs({ options: { commands: { type: 'string', default: '50' }, pause: { type: 'string', default: '5' } } })

// As its documentation has it: no network, writing below the working directory only.
const CONFIGURATION = {
  network: { allowedDomains: [], deniedDomains: [] },
  filesystem: { denyRead: [], allowWrite: ['.'], denyWrite: [] },
}

try {
  await SandboxManager.initialize(CONFIGURATION)
} catch (cause) {
  // It says itself what it lacks: ripgrep, socat, or namespaces.
  console.log(JSON.stringify({ skipped: cause instanceof Error ? cause.message : String(cause) }))
  process.exit(0)
}

async function run(): Promise<void> {
  const line = await SandboxManager.wrapWithSandbox(COMMAND)
  const child = spawn('/bin/bash', ['-c', line], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.resume()
  child.stderr.resume()
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`a command ended with ${code}`)
}

async function measure(pauseMs: number): Promise<number[]> {
  const samples: number[] = []
  await run()
  for (let index = 0; index < Number(values.commands); index += 1) {
    if (pauseMs > 0) await sleep(pauseMs)
    const startedMs = performance.now()
    await run()
    samples.push(performance.now() - startedMs)
  }
  return samples
}

const backToBack = await measure(0)
console.log(JSON.stringify(summariseExec({ backToBack, paced: await measure(Number(values.pause)) })))
await SandboxManager.reset()
process.exit(0)
