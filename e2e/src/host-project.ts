import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client as McpClient, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { type Client, createClient } from '@tidegate/client'
import { type ServerProcess, startServer } from './server-process.ts'

/** A project with a shell and a host, and a server that governs it in a process of its own. */
export interface HostProject {
  readonly project: string
  readonly workspace: string
  readonly url: string
  readonly server: ServerProcess
  /** Starts the server again on the same state. */
  restart(): Promise<void>
  /** A client of the person. */
  client(): Client
  /** What the plugin of the host says, with the token of the host. */
  ask(path: string, body: object): Promise<{ readonly status: number; readonly body: Record<string, unknown> }>
  /** A real MCP client with the token of the host. */
  mcp(options?: { readonly token?: string }): Promise<McpClient>
  close(): Promise<void>
}

/** Sets up the project; `host` are lines of the host's entry in tidegate.yaml, `more` other lines of it, `files` more files. */
export async function openHostProject({
  host = '',
  more = '',
  files = {},
}: {
  readonly host?: string
  readonly more?: string
  readonly files?: Readonly<Record<string, string>>
} = {}): Promise<HostProject> {
  const directory = mkdtempSync(join(tmpdir(), 'tidegate-host-'))
  chmodSync(directory, 0o711) // commands run as another user when we are root, who has to get to the workspace
  const project = join(directory, 'project')
  const workspace = join(project, 'ws')
  for (const each of ['policies', 'ws']) mkdirSync(join(project, each), { recursive: true })
  writeFileSync(join(project, 'policies', 'own.cedar'), '// The profile says it all.\n')
  writeFileSync(join(project, 'tidegate.yaml'), configuration(host, more))
  writeFileSync(join(workspace, 'README.md'), 'hello\n')
  for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text)
  const readyFile = join(directory, 'ready.json')
  const launch = (): ServerProcess => startServer({ project, readyFile })
  let server = launch()
  let url = await server.ready()
  const clients: { close(): unknown }[] = []
  const token = (name: string): string => readFileSync(join(project, '.tidegate', 'tokens', `${name}.token`), 'utf8').trim()

  return {
    project,
    workspace,
    get url() {
      return url
    },
    get server() {
      return server
    },
    async restart() {
      server = launch()
      url = await server.ready()
    },
    client() {
      const client = createClient({ url, token: token('mei') })
      clients.push(client)
      return client
    },
    async ask(path, body) {
      const headers = { authorization: `Bearer ${token('host-claw')}`, 'content-type': 'application/json' }
      const answer = await fetch(`${url}/v1/host/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
    },
    async mcp(options = {}) {
      const client = new McpClient({ name: 'e2e', version: '1' })
      const headers = { authorization: `Bearer ${options.token ?? token('host-claw')}` }
      await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit: { headers } }))
      clients.push(client)
      return client
    },
    async close() {
      await Promise.allSettled(clients.map(async (client) => client.close()))
      await server.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function configuration(host: string, more: string): string {
  return `name: hosts-e2e
trustDomain: example.org
environment: development
people:
  - { id: user:mei, roles: [operator] }
  - { id: user:ann, roles: [developer] }
tools: []
workflows: []
policies: [policies/own.cedar]
profile: balanced
exec: { workspace: ws, timeout: 20s }
hosts:
  - name: claw
    kind: mcp
    mode: enforce
    person: user:ann
    operations: [shell.*]
${host}${more}`
}
