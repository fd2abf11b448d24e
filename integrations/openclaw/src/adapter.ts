import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type ConnectRequest,
  ConnectError,
  type Detection,
  findProgram,
  type Finding,
  type HostAdapter,
  type HostEnvironment,
  type Plan,
  readFileState,
  type Withdrawal,
} from '@tidegate/connect'
import { CLOSED, DENIED, KEPT, MARK, OURS, pluginEntry, serverEntry } from './changes.ts'
import { type Configuration, listAt, readConfiguration } from './configuration.ts'
import { proveOpenClaw } from './prove.ts'

/** What OpenClaw loads. */
export const PLUGIN_DIRECTORY = fileURLToPath(new URL('../plugin', import.meta.url)).replace(/[\\/]$/, '')

const VERSION_MS = 60_000
const PATHS = ['plugins', 'load', 'paths'] as const
const ENTRY = ['plugins', 'entries', OURS] as const
const SERVER = ['mcp', 'servers', OURS] as const
/** The ways by which an agent of OpenClaw acts. */
const SURFACES = ['hook:tool', 'hook:mcp', 'mcp', 'sub-agent', 'cron', 'tools-invoke']

/**
 * Connects OpenClaw by its one configuration file. Observing adds our plugin and our MCP server. Enforcing also takes the agent's own
 * hands away, so that a plugin that is gone, broken or switched off leaves an agent that can do nothing: our tools refuse a call without
 * the ticket that only the plugin gets.
 */
export function createOpenClawAdapter(): HostAdapter {
  return { kind: 'openclaw', title: 'OpenClaw', detect, plan, check, withdraw, prove: proveOpenClaw }
}

async function detect(environment: HostEnvironment, config?: string): Promise<Detection> {
  const { env, home } = environment
  const file = config ?? env.OPENCLAW_CONFIG_PATH ?? join(env.OPENCLAW_STATE_DIR ?? join(home, '.openclaw'), 'openclaw.json')
  const exists = readFileState(file) !== undefined
  const program = findProgram('openclaw', environment)
  const version = program === undefined ? undefined : await versionOf(environment, program)
  return {
    installed: program !== undefined || exists,
    ...(program === undefined ? {} : { program }),
    ...(version === undefined ? {} : { version }),
    files: [{ role: 'configuration', file, exists }],
    notes: program === undefined ? ['The program "openclaw" is not on the PATH, so its version is not known.'] : [],
    surfaces: [...SURFACES, ...backendsOf(file)],
  }
}

async function versionOf(environment: HostEnvironment, program: string): Promise<string | undefined> {
  const { code, stdout } = await environment.run(program, ['--version'], { timeoutMs: VERSION_MS })
  return code === 0 ? /\b(\d{4}\.\d{1,2}\.\d{1,3}(?:-[\w.]+)?)\b/.exec(stdout)?.[1] : undefined
}

/** Programs that OpenClaw hands whole turns to, and that bring tools of their own which no hook of ours sees. */
function backendsOf(file: string): readonly string[] {
  const bytes = readFileState(file)?.bytes
  return bytes !== undefined &&
    /\bclaude-cli\b|\bcodex-cli\b|\bgemini-cli\b|\bcliBackends\b/.test(new TextDecoder().decode(bytes))
    ? ['cli-backend']
    : []
}

async function plan(request: ConnectRequest, detection: Detection): Promise<Plan> {
  const { url } = request
  if (url === undefined) {
    throw new ConnectError(
      'configuration_unsupported',
      'The plugin needs the address of the server. Start it with a fixed port (server.port in tidegate.yaml), then connect again.',
    )
  }
  const file = fileOf(detection)
  const before = readFileState(file)?.bytes
  const original = readConfiguration(before)
  refuseWhatUndoes(original)
  const watched = original
    .add(PATHS, [PLUGIN_DIRECTORY])
    .set(ENTRY, pluginEntry({ ...request, url }, file, original.get(ENTRY)))
    .set(SERVER, serverEntry(request))
  const loaded = listAt(watched, ['plugins', 'allow']) === undefined ? watched : watched.add(['plugins', 'allow'], [OURS])
  const { configuration, notes } = request.mode === 'enforce' ? enforce(loaded, detection.version) : relax(loaded)
  const why =
    request.mode === 'enforce'
      ? 'adds our plugin and MCP server, and takes the own tools of the agent away'
      : 'adds our plugin and MCP server'
  const after =
    before !== undefined && configuration.text === original.text ? before : new TextEncoder().encode(configuration.text)
  return { edits: [{ file, before, after, why }], notes: [...notes, ...notesOf(original, url)] }
}

/** What would make our change mean nothing. */
function refuseWhatUndoes(configuration: Configuration): void {
  const refuse = (why: string) => new ConnectError('configuration_unsupported', why)
  for (const path of [[], ['plugins'], ['mcp'], ['tools']]) {
    if (configuration.get([...path, '$include']) !== undefined) {
      throw refuse(
        `"${[...path, '$include'].join('.')}" brings in another file, which may overrule this one. Write its content here first.`,
      )
    }
  }
  if (configuration.get(['plugins', 'enabled']) === false)
    throw refuse('"plugins.enabled" is false: no plugin is loaded. Remove it first.')
  if (listAt(configuration, ['plugins', 'deny'])?.includes(OURS) === true) {
    throw refuse(`"plugins.deny" names "${OURS}", so that our plugin is never loaded. Take it out first.`)
  }
}

function enforce(
  loaded: Configuration,
  version = '',
): { readonly configuration: Configuration; readonly notes: readonly string[] } {
  const ours = DENIED.filter((name) => listAt(loaded, ['tools', 'deny'])?.includes(name) !== true)
  const denied = ours.length === 0 ? loaded : loaded.add(['tools', 'deny'], [MARK, ...ours])
  const closed = CLOSED.filter(({ since = '' }) => isSince(version, since)).reduce((at, { path }) => at.set(path, false), denied)
  const own = listAt(closed, ['tools', 'allow'])
  const extra = listAt(closed, ['tools', 'alsoAllow'])
  if (own === undefined && (extra === undefined || extra.length === 0)) {
    return { configuration: closed.set(['tools', 'allow'], [MARK, ...KEPT]), notes: [] }
  }
  if (own?.[0] === MARK) return { configuration: closed, notes: [] }
  if (own === undefined) {
    return {
      configuration: closed,
      notes: [
        '"tools.alsoAllow" stands, so that tools of plugins which nobody denied are left to the hook alone. Remove it, and connect again.',
      ],
    }
  }
  return {
    configuration: closed.add(['tools', 'allow'], [MARK, `${OURS}__*`]),
    notes: ['"tools.allow" stays yours: what it names and we do not deny is left to the hook alone.'],
  }
}

/** Back to observing: what enforcing took away is given back. */
function relax(configuration: Configuration): { readonly configuration: Configuration; readonly notes: readonly string[] } {
  return { configuration: withoutLists(configuration), notes: [] }
}

function isSince(version: string, since: string): boolean {
  const [year = 0, month = 0] = version.split('.').map(Number)
  const [fromYear = 0, fromMonth = 0] = since.split('.').map(Number)
  return since === '' || year > fromYear || (year === fromYear && month >= fromMonth)
}

function notesOf(configuration: Configuration, url: string): readonly string[] {
  const servers = configuration.get(['mcp', 'servers'])
  const others = typeof servers === 'object' && servers !== null ? Object.keys(servers).filter((name) => name !== OURS) : []
  return [
    'Restart OpenClaw: a running gateway may keep what it had.',
    `The plugin looks for the server at ${url}: give it that port for good (server.port in tidegate.yaml).`,
    ...(others.length === 0
      ? []
      : [
          `Other MCP servers are left to the hook alone: ${others.join(', ')}. Let Tidegate speak to them instead (mcp in tidegate.yaml).`,
        ]),
  ]
}

async function check({ config, environment, mode }: ConnectRequest, detection: Detection): Promise<readonly Finding[]> {
  const file = fileOf(detection)
  const configuration = readConfiguration(readFileState(file)?.bytes)
  const there =
    listAt(configuration, PATHS)?.includes(PLUGIN_DIRECTORY) === true &&
    configuration.get([...ENTRY, 'enabled']) === true &&
    configuration.get(SERVER) !== undefined
  const denied = mode === 'observe' || DENIED.every((name) => listAt(configuration, ['tools', 'deny'])?.includes(name) === true)
  const findings: Finding[] = [
    there && denied
      ? { name: 'configuration', state: 'ok', detail: 'has our plugin and our MCP server', cure: '' }
      : {
          name: 'configuration',
          state: 'wrong',
          detail: 'our part is not in it',
          cure: 'Somebody else writes this file: stop OpenClaw and try again.',
        },
    existsSync(join(PLUGIN_DIRECTORY, 'openclaw.plugin.json'))
      ? { name: 'plugin', state: 'ok', detail: PLUGIN_DIRECTORY, cure: '' }
      : { name: 'plugin', state: 'wrong', detail: `${PLUGIN_DIRECTORY} is not there`, cure: 'Install Tidegate again.' },
  ]
  if (detection.program === undefined || config !== undefined) return findings
  const { code, stdout, stderr } = await environment.run(detection.program, ['config', 'validate'], { timeoutMs: VERSION_MS })
  const said = (stderr.trim() || stdout.trim()).slice(-500)
  if (code === null)
    return [
      ...findings,
      {
        name: 'openclaw',
        state: 'warning',
        detail: 'did not say whether it accepts the configuration',
        cure: 'Run: openclaw config validate',
      },
    ]
  return [
    ...findings,
    code === 0
      ? { name: 'openclaw', state: 'ok', detail: 'accepts the configuration', cure: '' }
      : {
          name: 'openclaw',
          state: 'wrong',
          detail: `refuses the configuration: ${said}`,
          cure: 'Tell us the version of OpenClaw and this message.',
        },
  ]
}

function withdraw(file: string, current: Uint8Array): Withdrawal {
  try {
    const before = readConfiguration(current)
    const lists = withoutLists(before)
    const paths = listAt(lists, PATHS) ?? []
    const at = paths.indexOf(PLUGIN_DIRECTORY)
    const unloaded = at < 0 ? lists : lists.remove([...PATHS, at])
    const allowed = listAt(unloaded, ['plugins', 'allow'])?.indexOf(OURS) ?? -1
    const left = (allowed < 0 ? unloaded : unloaded.remove(['plugins', 'allow', allowed])).remove(ENTRY).remove(SERVER)
    const pruned = [
      PATHS,
      ['plugins', 'load'],
      ['plugins', 'entries'],
      ['plugins'],
      ['mcp', 'servers'],
      ['mcp'],
      ['tools'],
    ].reduce((each, path) => each.prune(path), left)
    if (pruned.text === before.text) return { state: 'clean', after: current, removed: [] }
    const isEmpty = JSON.stringify(pruned.get([])) === '{}'
    return {
      state: 'clean',
      after: isEmpty ? undefined : new TextEncoder().encode(pruned.text),
      removed: [`our plugin, our MCP server and what we denied from ${file}`],
    }
  } catch (error) {
    return { state: 'unclear', why: error instanceof Error ? error.message : String(error) }
  }
}

/** The lists without what stands behind our mark, and the switches that we turned. */
function withoutLists(configuration: Configuration): Configuration {
  const lists = [
    ['tools', 'deny'],
    ['tools', 'allow'],
  ].reduce((at, path) => {
    const list = listAt(at, path)
    const mark = list?.indexOf(MARK) ?? -1
    if (list === undefined || mark < 0) return at
    const known = path[1] === 'deny' ? DENIED : KEPT
    const theirs = list.filter((name, i) => i < mark || (i > mark && !known.includes(name)))
    return theirs.length === 0 ? at.remove(path) : at.set(path, theirs)
  }, configuration)
  const closed = listAt(configuration, ['tools', 'deny'])?.includes(MARK) === true
  const opened = closed
    ? CLOSED.reduce((at, { path }) => (at.get(path) === false ? at.remove(path).prune(path.slice(0, -1)) : at), lists)
    : lists
  return opened.prune(['gateway'])
}

function fileOf({ files }: Detection): string {
  const [first] = files
  if (first === undefined) throw new ConnectError('configuration_unsupported', 'No configuration of OpenClaw was named.')
  return first.file
}
