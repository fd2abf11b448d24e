import { readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createGateway, createHostAuthenticator, createTokenAuthenticator, type GatewayOptions } from '@tidegate/gateway'
import type { Log, LogLine } from '@tidegate/kernel'
import { loadConfiguration } from '@tidegate/project'
import { type Composition, compose } from './compose.ts'
import { modelEndpoint } from './model.ts'
import { writeAtomically } from './state/private-file.ts'
import { openHostTokens, openTokens } from './state/keys.ts'
import { VERSION } from './version.ts'

/** How a server is started. */
export interface ServeOptions {
  readonly project: string
  /** A file that is written once requests are answered. */
  readonly readyFile?: string
  /** Instead of the configured port. */
  readonly port?: number
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly log?: Log
}

/** A server that answers. */
export interface RunningServer {
  readonly url: string
  close(): Promise<void>
}

/** Starts the server of a project: state, runtime, gateway. Whatever does not fit is an error before anything is answered. */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const project = resolve(options.project)
  const log = options.log ?? writeLine
  const configuration = loadConfiguration(project)
  const composition = await compose({ project, configuration, environment: options.environment, log, version: VERSION })
  try {
    const tokens = openTokens(composition.stateDirectory, configuration.people)
    const holders = configuration.people.map((person) => ({ person, token: tokens.get(person.id) ?? '' }))
    const { host, port } = configuration.server
    const gateway = createGateway({
      tidegate: composition.tidegate,
      authenticate: createTokenAuthenticator(holders),
      authzen: composition.authzen,
      doctor: composition.doctor,
      ...hostsOf(composition),
      ...(configuration.authzen?.publicUrl === undefined ? {} : { publicUrl: configuration.authzen.publicUrl }),
      version: VERSION,
      host,
      port: options.port ?? port,
      onDefect: (error, incident) =>
        log({
          level: 'error',
          code: 'defect',
          message: `incident ${incident}: ${error instanceof Error ? error.message : 'unknown'}`,
        }),
    })
    const { url } = await gateway.listen()
    const ready = `${JSON.stringify({ url, pid: process.pid, version: VERSION })}\n`
    const files = [
      join(composition.stateDirectory, 'server.json'),
      ...(options.readyFile === undefined ? [] : [resolve(options.readyFile)]),
    ]
    for (const file of files) writeAtomically(file, ready, 0o600)
    log({ level: 'info', message: `${configuration.name} answers on ${url}` })
    return {
      url,
      async close() {
        for (const file of files.filter(isOurs)) rmSync(file, { force: true })
        await gateway.close()
        await composition.close()
      },
    }
  } catch (error) {
    await composition.close()
    throw error
  }
}

/** Another server may have been started meanwhile, and have written the file anew. */
function isOurs(file: string): boolean {
  try {
    return readFileSync(file, 'utf8').includes(`"pid":${process.pid},`)
  } catch {
    return false
  }
}

/** The door for agents that are not ours, where the project lists any. */
function hostsOf({
  tidegate,
  project,
  models,
  mcpSecret: secret,
  clock,
  stateDirectory,
  hostWatch,
}: Composition): Pick<GatewayOptions, 'hosts' | 'mcp' | 'model'> {
  const { hostDesk: desk } = tidegate
  if (desk === undefined) return {}
  const tokens = openHostTokens(stateDirectory, project.hosts)
  const holders = project.hosts.map(({ name, tickets }) => ({ host: name, tickets, token: tokens.get(name) ?? '' }))
  const kinds = new Map(project.hosts.map(({ name, kind }) => [name, kind]))
  const toolsOf = (host: string) => {
    const kind = kinds.get(host)
    return kind === undefined ? undefined : project.hostTools.get(kind)
  }
  const authenticate = createHostAuthenticator(holders)
  return {
    hosts: { desk, authenticate, toolsOf, ...(hostWatch === undefined ? {} : { noticesOf: hostWatch.noticesOf }) },
    mcp: { desk, authenticateHost: authenticate, clock, secret },
    ...modelEndpoint(models, { desk, authenticateHost: authenticate }),
  }
}

/** One line for people on stderr; times are for whoever collects them. */
function writeLine({ level, message, code, run }: LogLine): void {
  const about = [code, run].filter((part) => part !== undefined).join(' ')
  process.stderr.write(`${level === 'info' ? '' : `${level}: `}${message}${about === '' ? '' : ` (${about})`}\n`)
}
