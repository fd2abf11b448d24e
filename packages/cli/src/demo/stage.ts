import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Client, createClient } from '@tidegate/client'
import { CliError } from '../error.ts'
import { type StartedDesk, startDesk } from '../process/start-desk.ts'
import { type StartedServer, startServer } from '../process/start-server.ts'
import { findAnsweringServer } from '../project/answering-server.ts'
import { findProject, stateDirectory } from '../project/find-project.ts'
import type { Shell } from '../shell.ts'

/** A ticket file of the example. */
export interface DemoTicket {
  readonly id: string
  readonly event: string
  /** What it shows, in a sentence. */
  readonly about: string
}

/** The example, running: the support desk, the server, and two people who use it. */
export interface Stage {
  readonly project: string
  readonly desk: StartedDesk
  readonly server: StartedServer
  readonly tickets: readonly DemoTicket[]
  /** Delivers events, stops, lifts, undoes. */
  readonly operator: Client
  /** Approves refunds. */
  readonly lead: Client
  close(): Promise<void>
}

const EXAMPLE = fileURLToPath(new URL('../../../../examples/support-desk', import.meta.url))

/** Starts the example on fresh state; what an earlier demonstration left is wiped, unless it is to be kept. */
export async function openStage(shell: Shell, options: { readonly keepState: boolean }): Promise<Stage> {
  const project = shell.options.project === undefined && shell.env.TIDEGATE_PROJECT === undefined ? EXAMPLE : findProject(shell)
  const running = await findAnsweringServer(project)
  if (running !== undefined)
    throw new CliError(
      'server_running',
      `A server runs for ${project} already (process ${running.pid}). End it first, or use it: tidegate runs list --project ${project}`,
    )
  const state = stateDirectory(project)
  if (!options.keepState) wipe(project, state)
  const opened: { close: () => Promise<unknown> }[] = []
  const close = async (): Promise<void> => {
    for (const each of opened.toReversed()) await each.close()
  }
  try {
    const desk = await startDesk(project, state, await deskPort(project))
    opened.push({ close: desk.stop })
    const server = await startServer(project, { quiet: true, signal: shell.signal })
    opened.push({ close: server.stop })
    const clientOf = (name: string): Client => {
      const token = readFileSync(join(state, 'tokens', `${name}.token`), 'utf8').trim()
      const client = createClient({ url: server.url, token, signal: shell.signal })
      opened.push({ close: async () => client.close() })
      return client
    }
    return { project, desk, server, tickets: readTickets(project), operator: clientOf('operator'), lead: clientOf('mei'), close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Removes the state of the example, and of nothing else. */
function wipe(project: string, state: string): void {
  if (basename(state) !== '.tidegate' || !existsSync(join(project, 'service', 'main.ts'))) {
    throw new CliError('project_not_found', `${project} is not the support-desk example; the demo wipes only that one's state.`)
  }
  rmSync(state, { recursive: true, force: true })
}

/** Where the configuration expects the desk. */
async function deskPort(project: string): Promise<number> {
  const { parse } = await import('yaml')
  const configuration: unknown = parse(readFileSync(join(project, 'tidegate.yaml'), 'utf8'))
  const tools = recordOf(configuration).tools
  const settings = Array.isArray(tools) ? tools.map((tool) => recordOf(recordOf(tool).settings).baseUrl) : []
  const baseUrl = settings.find((url) => typeof url === 'string')
  const port = typeof baseUrl === 'string' ? Number(URL.parse(baseUrl)?.port) : Number.NaN
  if (Number.isInteger(port) && port > 0) return port
  throw new CliError('desk_start_failed', 'tidegate.yaml does not say where the support desk is (tools: settings: baseUrl).')
}

function readTickets(project: string): readonly DemoTicket[] {
  const directory = join(project, 'tickets')
  const files = readdirSync(directory).filter((name) => /^t-\d+\.json$/.test(name))
  return files.toSorted().map((name) => {
    const ticket = recordOf(JSON.parse(readFileSync(join(directory, name), 'utf8')))
    return { id: String(ticket.id), event: String(ticket.eventId ?? ticket.id), about: String(ticket.about ?? '') }
  })
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}
