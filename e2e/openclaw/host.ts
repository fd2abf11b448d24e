import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createOpenClawAdapter, PLUGIN_DIRECTORY } from '@tidegate/openclaw/adapter'
import { type Ended, type Program, startProgram } from '../src/program.ts'
import type { Installed } from './install.ts'

export const GATEWAY_PORT = 18_857
const GATEWAY_TOKEN = 'e2e-gateway-token-0123456789'
const READY_MS = 300_000
const SAY_MS = 300_000

/** A real OpenClaw with a state of its own. */
export interface Host {
  readonly workspace: string
  readonly configFile: string
  /** Starts the gateway and waits until it answers. */
  start(): Promise<void>
  stop(): Promise<void>
  isRunning(): boolean
  /** Says something to the agent and returns what it says in the end. */
  say(message: string): Promise<string>
  /** `POST /tools/invoke`. */
  invoke(tool: string, args: object): Promise<{ readonly status: number; readonly text: string }>
  /** Runs a command of its command line. */
  command(...args: readonly string[]): Promise<Ended & { readonly stdout: string }>
  /** What the gateway has written so far, of all its starts. */
  output(): string
  version(): Promise<string>
}

/** Makes one; nothing is started. `env` tells every process where its state is, and keeps it from asking the world anything. */
export function makeHost({ node, program }: Installed, directory: string, modelPort: number): Host {
  const workspace = join(directory, 'workspace')
  const configFile = join(directory, 'openclaw.json')
  for (const folder of [workspace, join(directory, 'home'), join(directory, 'state')]) mkdirSync(folder, { recursive: true })
  writeFileSync(configFile, configurationOf({ directory, workspace, modelPort }), { mode: 0o600 })
  const environment = {
    HOME: join(directory, 'home'),
    OPENCLAW_STATE_DIR: join(directory, 'state'),
    OPENCLAW_CONFIG_PATH: configFile,
    OPENCLAW_DISABLE_BONJOUR: '1',
    DO_NOT_TRACK: '1',
    NO_COLOR: '1',
    PATH: `${dirname(node)}:${process.env.PATH}`,
  }
  const run = (args: readonly string[]): Program => startProgram([node, program, ...args], { environment, directory: workspace })
  let gateway: Program | undefined
  let before = ''

  async function command(...args: readonly string[]): Promise<Ended & { readonly stdout: string }> {
    const started = run(args)
    const late = setTimeout(() => void started.stop('SIGKILL'), SAY_MS)
    const ended = await started.ended
    clearTimeout(late)
    return { ...ended, stdout: started.stdout() }
  }

  return {
    workspace,
    configFile,
    async start() {
      gateway = run(['gateway', 'run'])
      const deadline = Date.now() + READY_MS
      while (Date.now() < deadline && gateway.isRunning()) {
        if (await isUp()) return
        await pause(250)
      }
      throw new Error(`OpenClaw did not start: ${gateway.stderr().slice(-2000)}${gateway.stdout().slice(-2000)}`)
    },
    async stop() {
      if (gateway === undefined) return
      const late = setTimeout(() => void gateway?.stop('SIGKILL'), 10_000)
      await gateway.stop('SIGTERM')
      clearTimeout(late)
      before += gateway.stdout() + gateway.stderr()
      gateway = undefined
    },
    isRunning: () => gateway?.isRunning() === true,
    async say(message) {
      const { stdout, stderr, code } = await command('agent', '--agent', 'main', '--message', message, '--json')
      return code === 0 ? wordsOf(stdout) : `ended with ${code}: ${stderr.slice(-1000)}`
    },
    async invoke(tool, args) {
      const answer = await fetch(`http://127.0.0.1:${GATEWAY_PORT}/tools/invoke`, {
        method: 'POST',
        headers: { authorization: `Bearer ${GATEWAY_TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify({ tool, args }),
      })
      return { status: answer.status, text: await answer.text() }
    },
    command,
    output: () => before + (gateway?.stdout() ?? '') + (gateway?.stderr() ?? ''),
    async version() {
      return (await command('--version')).stdout.trim()
    },
  }
}

async function isUp(): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${GATEWAY_PORT}/healthz`)).ok
  } catch {
    return false
  }
}

/** The last thing that the agent said, out of what `agent --json` writes. */
function wordsOf(stdout: string): string {
  const at = stdout.indexOf('{')
  try {
    const answer = JSON.parse(stdout.slice(at)) as {
      readonly result?: { readonly payloads?: readonly { readonly text?: string }[] }
    }
    return (answer.result?.payloads ?? []).map(({ text = '' }) => text).join('\n')
  } catch {
    return stdout
  }
}

function configurationOf({
  directory,
  workspace,
  modelPort,
}: {
  readonly directory: string
  readonly workspace: string
  readonly modelPort: number
}): string {
  return `// The configuration of a person who has not heard of Tidegate yet.
{
  gateway: { mode: 'local', port: ${GATEWAY_PORT}, bind: 'loopback', auth: { mode: 'token', token: '${GATEWAY_TOKEN}' } },
  models: { mode: 'merge', providers: { fake: {
    baseUrl: 'http://127.0.0.1:${modelPort}/v1', apiKey: 'none', api: 'openai-completions',
    models: [{ id: 'fake-1', name: 'Fake', reasoning: false, input: ['text'],
      cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }, contextWindow: 128000, maxTokens: 4096 }] } } },
  agents: { defaults: { model: { primary: 'fake/fake-1' }, workspace: ${JSON.stringify(workspace)}, skipBootstrap: true } },
  tools: { exec: { host: 'gateway', security: 'full', ask: 'off' } }, // as it comes
  discovery: { mdns: { mode: 'off' } }, update: { checkOnStart: false },
  logging: { file: ${JSON.stringify(join(directory, 'gateway.jsonl'))} },
}
`
}

/** What connecting is done with. */
export interface Connection {
  readonly mode: 'observe' | 'enforce'
  readonly url: string
  readonly tokenFile: string
  readonly project: string
  /** A copy of the plugin, so that it can be broken. */
  readonly plugin: string
  readonly release: string
  readonly command: readonly [string, ...string[]]
}

/** Plans the connection as the command line does, and writes it. Returns what stood there before. */
export async function connectHost(configFile: string, connection: Connection): Promise<Uint8Array> {
  const { mode, url, tokenFile, project, plugin, release, command } = connection
  const adapter = createOpenClawAdapter()
  const nothing = async () => ({ code: null, stdout: '', stderr: '' })
  const environment = { home: dirname(configFile), cwd: dirname(configFile), platform: 'linux', env: {}, run: nothing }
  const detection = { ...(await adapter.detect(environment, configFile)), version: release }
  const request = {
    ...{ name: 'claw', mode, url, tokenFile, project, environment, command },
    permit: 'host',
    waitSeconds: 2,
  } as const
  const before = readFileSync(configFile)
  const { edits } = await adapter.plan(request, detection)
  const [edit] = edits
  if (edit === undefined) throw new Error('Nothing was planned.')
  const findings = await adapter.check(request, detection)
  if (findings.length === 0) throw new Error('Nothing was checked.')
  writeFileSync(configFile, new TextDecoder().decode(edit.after).replaceAll(PLUGIN_DIRECTORY, plugin))
  return before
}
