import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The ports are fixed: the network namespace is ours alone. */
export const INGRESS = 'http://127.0.0.1:8080'
const ADMIN = 'http://127.0.0.1:9070'

/** The default of 24 partitions is meant for a cluster: on two cores one partition did three times the work of 24. */
const ENVIRONMENT = {
  PATH: '/usr/bin:/bin',
  RESTATE_DISABLE_TELEMETRY: 'true',
  RESTATE_DEFAULT_NUM_PARTITIONS: '1',
  RESTATE_LOG_FILTER: 'error',
  RESTATE_BIFROST__LOCAL__ROCKSDB_DISABLE_WAL_FSYNC: 'false',
  RESTATE_LOG_SERVER__ROCKSDB_DISABLE_WAL_FSYNC: 'false',
}

export interface RestateServer {
  stop(): Promise<void>
}

/** Starts a single node with an empty data directory and registers the endpoint. Call only in a sealed namespace. */
export async function startRestate(endpoint: string): Promise<RestateServer> {
  const directory = mkdtempSync(join(tmpdir(), 'tidegate-restate-'))
  const binary = `../node_modules/@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`
  const server = spawn(
    fileURLToPath(new URL(binary, import.meta.url)),
    ['--base-dir', directory, '--no-logo', '--listen-mode', 'tcp', '--bind-ip', '127.0.0.1'],
    {
      cwd: directory,
      env: { ...ENVIRONMENT, HOME: join(directory) },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  )
  await until(server, `${ADMIN}/health`)
  await until(server, `${INGRESS}/restate/health`)
  const registered = await fetch(`${ADMIN}/deployments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ uri: endpoint }),
  })
  if (!registered.ok) throw new Error(`Restate refused the endpoint: ${(await registered.text()).slice(0, 500)}`)
  return { stop: () => stop(server, directory) }
}

async function until(server: ChildProcess, url: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (server.exitCode !== null) throw new Error(`Restate ended at start with code ${server.exitCode}`)
    const answer = await fetch(url).catch(() => undefined)
    if (answer?.ok === true) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  server.kill('SIGKILL')
  throw new Error(`Restate did not answer at ${url} within 30 s`)
}

/** The data is thrown away, so there is nothing to shut down gracefully. */
async function stop(server: ChildProcess, directory: string): Promise<void> {
  if (server.exitCode === null) {
    const ended = new Promise((resolve) => server.once('exit', resolve))
    server.kill('SIGKILL')
    await ended
  }
  rmSync(directory, { recursive: true, force: true })
}
