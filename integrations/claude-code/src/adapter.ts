import { basename } from 'node:path'
import {
  ConnectError,
  type ConnectRequest,
  type Detection,
  type Finding,
  findProgram,
  type HostAdapter,
  type HostEnvironment,
  nodeAt,
  type Plan,
  parseRelaxed,
  plainOf,
  readFileState,
  type Withdrawal,
} from '@tidegate/connect'
import { configurationFiles } from './configuration-files.ts'
import { proveClaudeCode } from './prove.ts'
import { modeOf, withHooks, withoutHooks } from './settings.ts'

/** Before this version a hook that is killed or takes too long counts as no objection, whatever the settings say. */
const BLOCKS_ON_FAILURE = '2.1.295'
const VERSION_MS = 10_000
const CANARY_MS = 20_000

/** The ways by which Claude Code acts. All of them come by the hook of PreToolUse; each must be proved. */
const SURFACES = ['hook:Bash', 'hook:Write', 'hook:Read', 'hook:mcp', 'parallel', 'sub-agent', 'background']

/** Connects Claude Code: its hook in the settings of the user, or in those of a project (`--config .claude/settings.json`). */
export function createClaudeCodeAdapter(): HostAdapter {
  return { kind: 'claude-code', title: 'Claude Code', detect, plan, check, withdraw, prove: proveClaudeCode }
}

async function detect(environment: HostEnvironment, config?: string): Promise<Detection> {
  const program = findProgram('claude', environment)
  const version = program === undefined ? undefined : await versionOf(program, environment)
  const files = configurationFiles(environment, config).map((each) => ({
    ...each,
    exists: readFileState(each.file) !== undefined,
  }))
  return {
    installed: program !== undefined,
    ...(program === undefined ? {} : { program }),
    ...(version === undefined ? {} : { version }),
    files,
    notes: program === undefined ? ['There is no `claude` on the PATH: the settings are changed all the same.'] : [],
    surfaces: SURFACES,
  }
}

async function versionOf(program: string, environment: HostEnvironment): Promise<string | undefined> {
  const { code, stdout } = await environment.run(program, ['--version'], { timeoutMs: VERSION_MS })
  return code === 0 ? /\d{1,4}\.\d{1,4}\.\d{1,6}/.exec(stdout)?.[0] : undefined
}

async function plan(request: ConnectRequest, detection: Detection): Promise<Plan> {
  const file = settingsOf(detection)
  const before = readFileState(file)?.bytes
  const text = textOf(before)
  const recent = detection.version !== undefined && !isOlder(detection.version, BLOCKS_ON_FAILURE)
  const after = new TextEncoder().encode(withHooks(text, request, { recent }))
  const verb =
    request.mode === 'enforce'
      ? 'every tool call is decided by Tidegate before it happens'
      : 'every tool call is shown to Tidegate, and none is stopped'
  return { edits: [{ file, before, after, why: `adds hooks: ${verb}` }], notes: detection.notes }
}

async function check(request: ConnectRequest, detection: Detection): Promise<readonly Finding[]> {
  const file = settingsOf(detection)
  const text = textOf(readFileState(file)?.bytes)
  return [
    modeOf(text) === request.mode
      ? ok('hooks', `${basename(file)} has them, in ${request.mode} mode.`)
      : wrong('hooks', 'they are not in the settings as they were written.', 'Something else writes this file; try again.'),
    ...switchedOff(detection),
    checkVersion(request, detection),
    await fireCanary(request),
  ]
}

/** Settings under which no hook of the user runs. */
function switchedOff(detection: Detection): readonly Finding[] {
  return detection.files.flatMap(({ role, file }): Finding[] => {
    const bytes = readFileState(file)?.bytes
    if (bytes === undefined) return []
    const root = parseRelaxed(textOf(bytes))
    const says = (key: string): boolean => {
      const node = nodeAt(root, [key])
      return node !== undefined && plainOf(node) === true
    }
    if (says('disableAllHooks'))
      return [wrong('hooks', `${file} switches all hooks off (disableAllHooks).`, 'Remove that line, and connect again.')]
    if (role === 'managed' && says('allowManagedHooksOnly'))
      return [
        wrong(
          'hooks',
          `${file} allows only hooks of the organisation.`,
          'Have the hooks put there; see docs/guide/claude-code.md.',
        ),
      ]
    return []
  })
}

function checkVersion({ mode }: ConnectRequest, { version }: Detection): Finding {
  if (version === undefined)
    return {
      name: 'version',
      state: 'warning',
      detail: 'the version of Claude Code is not known.',
      cure: 'Put `claude` on the PATH.',
    }
  if (!isOlder(version, BLOCKS_ON_FAILURE)) return ok('version', version)
  const detail = `${version} lets a call go when its hook is killed; ${BLOCKS_ON_FAILURE} and later do not.`
  return mode === 'enforce'
    ? wrong('version', detail, 'Update Claude Code, or observe.')
    : { name: 'version', state: 'warning', detail, cure: 'Update before enforcing.' }
}

function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((each) => each.split('.').map(Number))
  for (let i = 0; i < 3; i += 1) {
    const difference = (a?.[i] ?? 0) - (b?.[i] ?? 0)
    if (difference !== 0) return difference < 0
  }
  return false
}

/** Starts the hook as Claude Code would, with the greeting of a session: it must answer with a document, and the server must know it. */
async function fireCanary({ command: [program, ...args], environment, project, name, mode }: ConnectRequest): Promise<Finding> {
  const event = { hook_event_name: 'SessionStart', session_id: 'tidegate-connect', source: 'startup' }
  const words = [...args, 'hook', 'claude-code', '--project', project, '--host', name, '--mode', mode]
  const { code, stdout, stderr } = await environment.run(program, words, { timeoutMs: CANARY_MS, input: JSON.stringify(event) })
  if (code !== 0 || !isDocument(stdout))
    return wrong(
      'hook',
      `it does not answer as it should (exit code ${code ?? 'none'}).`,
      'Install Tidegate again; this is a defect.',
    )
  if (stderr === '') return ok('door', 'the server answers the hook.')
  const why = stderr.trim().replace(/^Tidegate: /, '')
  return mode === 'enforce'
    ? wrong('door', why, 'Start the server, and connect again.')
    : { name: 'door', state: 'warning', detail: why, cure: 'Start the server again.' }
}

function isDocument(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null
  } catch {
    return false
  }
}

function withdraw(_: string, current: Uint8Array): Withdrawal {
  try {
    const { text, removed } = withoutHooks(textOf(current))
    if (removed.length === 0) return { state: 'clean', after: current, removed }
    const root = parseRelaxed(text)
    const isEmpty = root.kind === 'object' && root.members.length === 0
    return { state: 'clean', after: isEmpty ? undefined : new TextEncoder().encode(text), removed }
  } catch (error) {
    return { state: 'unclear', why: error instanceof Error ? error.message : String(error) }
  }
}

function settingsOf(detection: Detection): string {
  const settings = detection.files.find(({ role }) => role === 'settings')
  if (settings === undefined) throw new ConnectError('configuration_unsupported', 'No settings file was found to change.')
  return settings.file
}

/** An empty settings file is an empty object. */
function textOf(bytes: Uint8Array | undefined): string {
  const text = bytes === undefined ? '' : new TextDecoder().decode(bytes)
  return text.trim() === '' ? '{}\n' : text
}

function ok(name: string, detail: string): Finding {
  return { name, state: 'ok', detail, cure: '' }
}

function wrong(name: string, detail: string, cure: string): Finding {
  return { name, state: 'wrong', detail, cure }
}
