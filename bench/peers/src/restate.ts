import { createServer } from 'node:http2'
import { type Context, createEndpointHandler, service } from '@restatedev/restate-sdk'
import { parseLoad } from '../../src/child-arguments.ts'
import { effect, intentEntry, resultEntry } from '../../src/entry.ts'
import { drive } from '../../src/load.ts'
import { installedVersion } from './installed-version.ts'
import { seal } from './isolation.ts'
import { INGRESS, startRestate } from './restate-server.ts'

const [name, net = '', mnt = '', ...options] = process.argv.slice(2)
const load = parseLoad(options)

/** Where a run reports its latencies to. The endpoint lives in this process, so a map suffices. */
const listeners = new Map<string, (latencyMs: number) => void>()

/**
 * Two durable steps per action. `ctx.run` resolves once the server has acknowledged the result, so the effect starts only after
 * the intent is durable.
 */
const actions = service({
  name: 'actions',
  handlers: {
    run: async (ctx: Context, { runId, count }: { runId: string; count: number }) => {
      const finished = listeners.get(runId)
      for (let action = 0; action < count; action += 1) {
        const startedMs = performance.now()
        await ctx.run('intent', () => intentEntry(runId, action))
        await ctx.run('effect', async () => {
          await effect()
          return resultEntry(runId, action)
        })
        finished?.(performance.now() - startedMs)
      }
    },
  },
})

async function measure(): Promise<void> {
  const endpoint = createServer(createEndpointHandler({ services: [actions], logger: () => {} }))
  await new Promise<void>((resolve) => endpoint.listen(9080, '127.0.0.1', resolve))
  const server = await startRestate('http://127.0.0.1:9080')
  try {
    const window = await drive(load, async (runId, count, finished) => {
      listeners.set(runId, finished)
      const answer = await fetch(`${INGRESS}/actions/run`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ runId, count }),
      })
      await answer.arrayBuffer()
      if (!answer.ok) throw new Error(`Restate answered ${answer.status}`)
      listeners.delete(runId)
    })
    const engine = installedVersion(`@restatedev/restate-server-${process.platform}-${process.arch}`)
    const version = `${engine}, sdk ${installedVersion('@restatedev/restate-sdk')}`
    const setting = 'single node, one partition (the fastest here), sealed network namespace'
    const notes = `${setting}, two ctx.run per action, ${load.actionsPerRun} actions per invocation`
    console.log(JSON.stringify({ name, version, inFlight: load.inFlight, ...window, durable: 'fsync', notes }))
  } finally {
    await server.stop()
    endpoint.close()
  }
}

const leak = seal({ net, mnt })
if (leak === undefined) {
  await measure()
  process.exit(0)
} else {
  console.log(JSON.stringify({ name, skipped: `not started: ${leak}` }))
}
