import { DBOS } from '@dbos-inc/dbos-sdk'
import pg from 'pg'
import { parseLoad } from '../../src/child-arguments.ts'
import { effect, intentEntry, resultEntry } from '../../src/entry.ts'
import { drive } from '../../src/load.ts'
import { installedVersion } from './installed-version.ts'
import { type Postgres, startPostgres } from './postgres.ts'

const [name, ...options] = process.argv.slice(2)
const load = parseLoad(options)

/** The default of DBOS. 20, 32 and 64 connections were slower on two cores. */
const POOL_SIZE = 10

const silent = { info: () => {}, debug: () => {}, warn: () => {}, error: (entry: unknown) => console.error(entry) }

/** Where a workflow reports its latencies to. Every workflow runs in this process, so a map suffices. */
const listeners = new Map<string, (latencyMs: number) => void>()

const run = DBOS.registerWorkflow(
  async (runId: string, actions: number) => {
    const finished = listeners.get(runId)
    for (let action = 0; action < actions; action += 1) {
      const startedMs = performance.now()
      await DBOS.runStep(async () => intentEntry(runId, action), { name: 'intent' })
      await DBOS.runStep(
        async () => {
          await effect()
          return resultEntry(runId, action)
        },
        { name: 'effect' },
      )
      finished?.(performance.now() - startedMs)
    }
  },
  { name: 'run' },
)

async function measure(postgres: Postgres): Promise<void> {
  const pool = new pg.Pool({ host: postgres.socketDirectory, user: postgres.user, database: 'postgres', max: POOL_SIZE })
  pool.on('error', () => {})
  DBOS.setConfig({ name: 'bench', systemDatabasePool: pool, logger: silent })
  await DBOS.launch()
  try {
    const settings = await pool.query("SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit")
    const { fsync, commit } = settings.rows[0] as { fsync: string; commit: string }
    const window = await drive(load, async (runId, actions, finished) => {
      listeners.set(runId, finished)
      await run(runId, actions)
      listeners.delete(runId)
    })
    const version = `${installedVersion('@dbos-inc/dbos-sdk')}, ${postgres.version}`
    const durable = fsync === 'on' && commit === 'on' ? 'fsync' : `no: fsync ${fsync}, synchronous_commit ${commit}`
    const notes = `two runStep per action, ${POOL_SIZE} connections, unix socket, ${load.actionsPerRun} actions per workflow`
    console.log(JSON.stringify({ name, version, inFlight: load.inFlight, ...window, durable, notes }))
  } finally {
    await DBOS.shutdown()
    await pool.end()
  }
}

const postgres = await startPostgres()
if ('missing' in postgres) {
  console.log(JSON.stringify({ name, skipped: postgres.missing }))
} else {
  try {
    await measure(postgres)
  } finally {
    await postgres.stop()
  }
}
