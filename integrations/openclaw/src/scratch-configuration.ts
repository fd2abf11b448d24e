import type { Json } from '@tidegate/kernel'
import { type Configuration, readConfiguration } from './configuration.ts'

/** Where a scratch copy of OpenClaw finds things. */
export interface Scratch {
  readonly port: number
  readonly gatewayToken: string
  readonly modelUrl: string
  readonly workspace: string
  readonly logFile: string
  /** How the MCP server of canaries is started. */
  readonly canaries: readonly [string, ...string[]]
}

/** The name of the MCP server of canaries. */
export const CANARY_SERVER = 'tidegatecanary'
const MODEL = 'tidegatecanary/scripted'

/** What would make a copy act in the world beside the original: speak to people, wake by itself, listen elsewhere. */
const QUIET: readonly (readonly string[])[] = [
  ['channels'],
  ['hooks'],
  ['bindings'],
  ['models'],
  ['gateway', 'remote'],
  ['gateway', 'tailscale'],
  ['gateway', 'tls'],
  ['gateway', 'trustedProxies'],
  ['agents', 'defaults', 'models'],
  ['agents', 'defaults', 'heartbeat'],
]
/** What an agent of its own has instead of the defaults, and a scripted one has not. */
const OF_AGENTS = ['model', 'models', 'workspace', 'agentDir', 'heartbeat'] as const

/**
 * The configuration of a host as it is, but for where its model, its gateway, its workspace and its log are, and without what would speak
 * to the world. Plugins, tools, MCP servers and agents stay: they are what is proved.
 */
export function scratchConfiguration(bytes: Uint8Array, scratch: Scratch): string {
  const { port, gatewayToken, modelUrl, workspace, logFile, canaries } = scratch
  const quiet = QUIET.reduce((at, path) => at.remove(path), readConfiguration(bytes))
  const [command, ...args] = canaries
  return withoutOwnModels(quiet)
    .set(['gateway', 'mode'], 'local')
    .set(['gateway', 'bind'], 'loopback')
    .set(['gateway', 'port'], port)
    .set(['gateway', 'auth'], { mode: 'token', token: gatewayToken })
    .set(['models'], modelsOf(modelUrl))
    .set(['agents', 'defaults', 'model'], { primary: MODEL })
    .set(['agents', 'defaults', 'workspace'], workspace)
    .set(['agents', 'defaults', 'skipBootstrap'], true)
    .set(['discovery', 'mdns'], { mode: 'off' })
    .set(['update', 'checkOnStart'], false)
    .set(['logging', 'file'], logFile)
    .set(['mcp', 'servers', CANARY_SERVER], { command, args }).text
}

function withoutOwnModels(configuration: Configuration): Configuration {
  const list = configuration.get(['agents', 'list'])
  const entries = configuration.get(['agents', 'entries'])
  const places: readonly (readonly (string | number)[])[] = [
    ...(Array.isArray(list) ? list.map((_, i) => ['agents', 'list', i]) : []),
    ...(typeof entries === 'object' && entries !== null ? Object.keys(entries).map((key) => ['agents', 'entries', key]) : []),
  ]
  return places.flatMap((place) => OF_AGENTS.map((key) => [...place, key])).reduce((at, path) => at.remove(path), configuration)
}

function modelsOf(url: string): Json {
  const cost = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }
  const model = {
    id: 'scripted',
    name: 'Scripted',
    reasoning: false,
    input: ['text'],
    cost,
    contextWindow: 128_000,
    maxTokens: 4_096,
  }
  const provider = { baseUrl: `${url}/v1`, apiKey: 'none', api: 'openai-completions', models: [model] }
  return { mode: 'replace', providers: { tidegatecanary: provider } }
}

/** The agent that is spoken to: the one that the configuration calls the default, else the first, else OpenClaw's own. */
export function agentOf(bytes: Uint8Array): string {
  const configuration = readConfiguration(bytes)
  const list = configuration.get(['agents', 'list'])
  const entries = configuration.get(['agents', 'entries'])
  const listed = Array.isArray(list) ? (list as readonly Json[]) : []
  const isNamed = (each: Json): each is { readonly id: string; readonly default?: Json } =>
    typeof each === 'object' && each !== null && 'id' in each && typeof each.id === 'string'
  const agents = listed.filter(isNamed)
  const chosen = agents.find((each) => each.default === true) ?? agents[0]
  if (chosen !== undefined) return chosen.id
  const [first] = typeof entries === 'object' && entries !== null ? Object.keys(entries) : []
  return first ?? 'main'
}
