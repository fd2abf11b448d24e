import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Client, createClient } from '@tidegate/client'
import { type RunningDesk, startDesk } from '@tidegate/example-support-desk/service'
import { stockDesk } from './stock.ts'
import { endWithUs } from './program.ts'
import { type ServerOptions, type ServerProcess, startServer } from './server-process.ts'

const EXAMPLE = fileURLToPath(new URL('../../examples/support-desk', import.meta.url))

/** The people of every stage. The operator delivers the events, so that the billing leads may approve what comes of them. */
export const PEOPLE = ['mei', 'jonas', 'ada', 'operator'] as const
export type PersonName = (typeof PEOPLE)[number]

/** What a stage differs in. */
export interface StageOptions {
  /** Customers with two invoices each, beside those of the example. */
  readonly customers?: number
  /** Lines that are added to tidegate.yaml. */
  readonly configuration?: string
  /** Where the journal lies, below the project. */
  readonly store?: string
  /** Changes a policy file before it is written. */
  readonly policy?: (text: string) => string
  /** How long a mail waits in the outbox of the desk. */
  readonly sendAfterMs?: number
}

/** A support desk and the project that governs it, each in a process of its own. */
export interface Stage {
  readonly directory: string
  readonly project: string
  /** The state directory: journal, keys, tokens. */
  readonly store: string
  readonly desk: RunningDesk
  readonly deskFile: string
  /** Starts the server and waits for nothing. */
  launch(options?: Omit<ServerOptions, 'project' | 'readyFile'>): ServerProcess
  /** Starts the server and waits until it answers. */
  start(options?: Omit<ServerOptions, 'project' | 'readyFile'>): Promise<ServerProcess>
  readonly url: string
  token(person: PersonName): string
  /** A client of the server as it runs now. */
  client(person: PersonName): Client
  /** Ends the desk and starts it again at the same address. */
  restartDesk(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** Ends everything that was started, and removes the directory. */
  close(): Promise<void>
}

/** Sets a stage: a project in a directory of its own, and a desk that answers. The server is not started yet. */
export async function setStage(options: StageOptions = {}): Promise<Stage> {
  const directory = mkdtempSync(join(tmpdir(), 'tidegate-e2e-'))
  const project = join(directory, 'project')
  const home = join(directory, 'desk')
  mkdirSync(home)
  const deskOptions = ['--faults', '--seed', '--send-after-ms', String(options.sendAfterMs ?? 600_000)]
  let desk = await startDesk(home, deskOptions)
  endWithUs(desk.pid)
  const deskFile = join(home, 'desk.sqlite')
  stockDesk(deskFile, options.customers ?? 0)
  writeProject(project, desk, options)
  const store = join(project, options.store ?? '.tidegate')
  const servers: ServerProcess[] = []
  const clients: Client[] = []
  let url = ''

  const launch: Stage['launch'] = (more = {}) => {
    const server = startServer({ project, readyFile: join(directory, 'server.ready.json'), ...more })
    servers.push(server)
    return server
  }
  const token = (person: PersonName): string =>
    readFileSync(join(seenBy(servers.at(-1), store), 'tokens', `${person}.token`), 'utf8').trim()

  return {
    directory,
    project,
    store,
    deskFile,
    get desk() {
      return desk
    },
    get url() {
      return url
    },
    launch,
    async start(more) {
      const server = launch(more)
      url = await server.ready()
      return server
    },
    token,
    client(person) {
      const client = createClient({ url, token: token(person) })
      clients.push(client)
      return client
    },
    async restartDesk(signal) {
      await desk.stop(signal)
      desk = await startDesk(home, [...deskOptions, '--port', new URL(desk.url).port])
      endWithUs(desk.pid)
    },
    async close() {
      for (const client of clients) client.close()
      await Promise.all([...servers.map((server) => server.stop('SIGKILL')), desk.stop('SIGKILL')])
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** A path as a process sees it, which may have mounts of its own. */
export function seenBy(server: ServerProcess | undefined, path: string): string {
  const root = `/proc/${server?.pid}/root`
  return server?.isRunning() === true && existsSync(root) ? join(root, path) : path
}

function writeProject(
  project: string,
  desk: RunningDesk,
  { configuration = '', policy = (text) => text, store }: StageOptions,
): void {
  for (const folder of ['workflows', 'policies', '.secret']) mkdirSync(join(project, folder), { recursive: true })
  cpSync(join(EXAMPLE, 'workflows', 'support-billing.yaml'), join(project, 'workflows', 'support-billing.yaml'))
  for (const name of ['autonomy', 'money', 'reach', 'risk']) {
    writeFileSync(
      join(project, 'policies', `${name}.cedar`),
      policy(readFileSync(join(EXAMPLE, 'policies', `${name}.cedar`), 'utf8')),
    )
  }
  writeFileSync(join(project, '.secret', 'desk.token'), desk.token, { mode: 0o600 })
  writeFileSync(join(project, 'tidegate.yaml'), configurationOf(desk, store ?? '.tidegate') + configuration)
}

function configurationOf(desk: RunningDesk, store: string): string {
  return `name: support-desk
trustDomain: support-desk.example
environment: production
store: { directory: ${store} }
people:
  - { id: user:mei, roles: [billing-lead] }
  - { id: user:jonas, roles: [billing-lead, privacy] }
  - { id: user:ada, roles: [billing-lead] }
  - { id: user:operator, roles: [operator] }
tools:
  - file: ${JSON.stringify(join(EXAMPLE, 'tools', 'desk.ts'))}
    settings: { baseUrl: ${JSON.stringify(desk.url)} }
workflows: [workflows/*.yaml]
policies: [policies/*.cedar]
secrets:
  desk-token: { file: .secret/desk.token }
`
}
