import { accessSync, constants, existsSync, readFileSync, statfsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Client, createClient } from '@tidegate/client'
import { attemptAsync, type Check, ok, wrong } from '../doctor/check.ts'
import { checkHosts } from '../doctor/check-hosts.ts'
import { checkPrerequisites } from '../doctor/check-prerequisites.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { findProject, PROJECT_FILE, stateDirectory } from '../project/find-project.ts'
import { findToken, namesIn } from '../project/find-token.ts'
import { findServer } from '../project/running-server.ts'
import type { Shell } from '../shell.ts'
import type { Tone } from '../terminal/style.ts'
import { VERSION } from '../version.ts'

const NEEDED_NODE = 24
const LOW_DISK_BYTES = 1_000_000_000
const NO_DISK_BYTES = 100_000_000
const CLOCK_TOLERANCE_MS = 5_000
const HEALTH_MS = 3_000
const MARKS: Readonly<Record<Check['state'], readonly [Tone, string]>> = {
  ok: ['good', 'ok     '],
  warning: ['warn', 'warning'],
  wrong: ['bad', 'wrong  '],
}

/** Looks at everything a project needs, and says how to cure what is wrong. Never prints a secret. Exit code 1 if something is wrong. */
export async function doctor(shell: Shell): Promise<ExitCode> {
  const checks: Check[] = [checkNode()]
  const project = attempt(() => findProject(shell))
  if (typeof project !== 'string')
    checks.push(wrong('project', project.message, 'Make one with `tidegate init DIR`, or name it with --project DIR.'))
  else checks.push(...(await checkProject(shell, project)), ...(await checkServer(shell, project)))
  shell.result({ checks, healthy: checks.every(({ state }) => state !== 'wrong') }, (view) => render(shell, view.checks))
  return checks.some(({ state }) => state === 'wrong') ? EXIT.failed : EXIT.ok
}

function render({ style }: Shell, checks: readonly Check[]): string {
  const lines = checks.map(({ name, state, detail, cure }) => {
    const [tone, mark] = MARKS[state]
    return `${style(tone, mark)}  ${name}: ${detail}${cure === '' ? '' : `\n         ${style('strong', 'Cure')}: ${cure}`}`
  })
  const bad = checks.filter(({ state }) => state === 'wrong').length
  return [
    ...lines,
    '',
    bad === 0 ? style('good', 'Nothing is wrong.') : style('bad', `${bad} ${bad === 1 ? 'thing is' : 'things are'} wrong.`),
  ].join('\n')
}

function checkNode(): Check {
  const major = Number(process.versions.node.split('.')[0])
  return major >= NEEDED_NODE
    ? ok('node', process.version)
    : wrong('node', `${process.version} is too old`, `Use Node ${NEEDED_NODE}; \`npm ci\` brings one.`)
}

async function checkProject(shell: Shell, project: string): Promise<readonly Check[]> {
  const state = stateDirectory(project)
  return [
    await checkConfiguration(project),
    ...(await checkSecrets(shell, project)),
    checkStore(project, state),
    checkDisk(existsSync(state) ? state : project),
    checkTokens(state),
  ]
}

async function checkConfiguration(project: string): Promise<Check> {
  const { parseDocument } = await import('yaml')
  const document = parseDocument(readFileSync(join(project, PROJECT_FILE), 'utf8'), { strict: true, uniqueKeys: true })
  const [error] = document.errors
  if (error === undefined) return ok(PROJECT_FILE, project)
  return wrong(PROJECT_FILE, error.message.split('\n')[0] ?? 'not YAML', 'Correct that line; `tidegate up` checks the rest.')
}

async function checkSecrets(shell: Shell, project: string): Promise<readonly Check[]> {
  const { parse } = await import('yaml')
  const configuration = attempt((): unknown => parse(readFileSync(join(project, PROJECT_FILE), 'utf8')))
  if (typeof configuration !== 'object' || configuration === null || !('secrets' in configuration)) return []
  const secrets = configuration.secrets
  if (typeof secrets !== 'object' || secrets === null) return []
  return Object.entries(secrets).map(([name, source]) => checkSecret(shell, project, name, source))
}

/** Present or not: the value is never kept, compared or printed. */
function checkSecret(shell: Shell, project: string, name: string, source: unknown): Check {
  const title = `secret ${name}`
  if (typeof source === 'object' && source !== null && 'env' in source && typeof source.env === 'string') {
    return (shell.env[source.env] ?? '') === ''
      ? wrong(title, `${source.env} is not set here`, `Set ${source.env} where the server is started.`)
      : ok(title, `in ${source.env}`)
  }
  if (typeof source === 'object' && source !== null && 'file' in source && typeof source.file === 'string') {
    const file = resolve(project, source.file)
    const size = attempt(() => statSync(file).size)
    return typeof size === 'number' && size > 0
      ? ok(title, `in ${source.file}`)
      : wrong(title, `${source.file} is missing or empty`, `Write the secret to ${file} and give it mode 600.`)
  }
  return wrong(title, 'it says neither env nor file', `Write ${name}: { file: path } or { env: NAME } in ${PROJECT_FILE}.`)
}

function checkStore(project: string, state: string): Check {
  const directory = existsSync(state) ? state : project
  const failure = attempt(() => accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK))
  return failure === undefined
    ? ok('store', `${directory} can be written`)
    : wrong('store', `${directory} cannot be written`, 'Give this user the right to write there, or move the project.')
}

function checkDisk(directory: string): Check {
  const free = attempt(() => {
    const { bavail, bsize } = statfsSync(directory)
    return bavail * bsize
  })
  if (typeof free !== 'number')
    return { name: 'disk', state: 'warning', detail: 'its free space cannot be told', cure: `Look at the disk of ${directory}.` }
  const detail = `${Math.floor(free / 1_000_000)} MB free`
  if (free < NO_DISK_BYTES) return wrong('disk', detail, 'Free some space now: the journal must be able to grow, or runs stop.')
  return free < LOW_DISK_BYTES ? { name: 'disk', state: 'warning', detail, cure: 'Free some space soon.' } : ok('disk', detail)
}

function checkTokens(state: string): Check {
  const directory = join(state, 'tokens')
  const names = namesIn(directory)
  if (names.length === 0)
    return {
      name: 'tokens',
      state: 'warning',
      detail: 'there are none yet',
      cure: 'The server makes them at its first start: `tidegate up`.',
    }
  const open = names.filter(
    (name) => process.platform !== 'win32' && (statSync(join(directory, `${name}.token`)).mode & 0o077) !== 0,
  )
  return open.length === 0
    ? ok('tokens', names.join(', '))
    : wrong('tokens', `others may read that of ${open.join(', ')}`, `chmod 600 ${directory}/*.token`)
}

async function checkServer(shell: Shell, project: string): Promise<readonly Check[]> {
  const url = shell.options.server ?? findServer(project)?.url
  if (url === undefined)
    return [
      ...(await checkHosts(shell, project, undefined)),
      wrong('server', 'none runs for this project', 'Start it: tidegate up. If a file is wrong, it names the line.'),
    ]
  const token = attempt(() => findToken(shell, 'look'))
  const client = createClient({
    url,
    timeoutMs: HEALTH_MS,
    signal: shell.signal,
    ...(typeof token === 'string' ? { token } : {}),
  })
  try {
    const health = await attemptAsync(() => client.health())
    if (health instanceof Error)
      return [wrong('server', health.message, 'Start it again: tidegate up. Its log says why it ended.')]
    return [
      ok('server', `answers on ${url}`),
      ...(typeof token === 'string'
        ? [...(await checkInside(client)), ...(await checkPrerequisites(client)), ...(await checkHosts(shell, project, client))]
        : [wrong('token', token.message, 'Name one with --as or --token-file.')]),
    ]
  } finally {
    client.close()
  }
}

async function checkInside(client: Client): Promise<readonly Check[]> {
  const me = await attemptAsync(() => client.me())
  if (me instanceof Error)
    return [wrong('token', me.message, 'Use a token of this server: those in .tidegate/tokens, made at its first start.')]
  const version =
    me.version === VERSION
      ? ok('version', VERSION)
      : ({
          name: 'version',
          state: 'warning',
          detail: `the server is ${me.version}, this is ${VERSION}`,
          cure: 'Start the server again after an update.',
        } as const)
  const [head, runs, stops] = await Promise.all([
    attemptAsync(() => client.ledgerHead()),
    attemptAsync(() => client.runs({ limit: 1 })),
    attemptAsync(() => client.stops()),
  ])
  const ledger =
    head instanceof Error
      ? wrong('ledger', head.message, 'Look at the log of the server.')
      : ok('ledger', `${head.size} entries, root ${head.root}. Prove it with \`tidegate ledger verify\`.`)
  const stopped =
    stops instanceof Error || stops.length === 0
      ? []
      : [
          {
            name: 'stops',
            state: 'warning',
            detail: `${stops.length} in force: ${stops.map(({ scope }) => scope).join(', ')}`,
            cure: 'Lift them when it is time: tidegate stops, tidegate lift ID --why "..."',
          } as const,
        ]
  return [
    ok('token', `you are ${me.id} (${me.roles.join(', ')})`),
    version,
    ledger,
    checkClock(runs instanceof Error ? undefined : runs[0]?.updatedAtMs),
    ...stopped,
  ]
}

/** The journal's time never goes back: when it is ahead of this clock, the clock has been set back. */
function checkClock(lastMs: number | undefined): Check {
  const aheadMs = (lastMs ?? 0) - Date.now()
  if (aheadMs <= CLOCK_TOLERANCE_MS) return ok('clock', new Date().toISOString())
  return wrong(
    'clock',
    `it is ${Math.round(aheadMs / 1_000)} s behind the journal`,
    'Set the clock of this machine (NTP). Deadlines wait until it has caught up.',
  )
}

function attempt<T>(work: () => T): T | Error {
  try {
    return work()
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
