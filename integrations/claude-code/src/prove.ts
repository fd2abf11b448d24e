import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  type Canary,
  canaryServer,
  type Fired,
  nodeAt,
  parseRelaxed,
  plainOf,
  type ProvePorts,
  proveSurface,
  type ProveRequest,
  removeAt,
  setAt,
  type SurfaceProof,
  type Turn,
} from '@tidegate/connect'

/** One conversation, from the start of the program to its end. */
const TALK_MS = 90_000
const MCP_TOOL = 'mcp__canary__look'
const ALLOWED = ['Bash', 'Read', 'Write', 'Agent', 'Task', MCP_TOOL]
/** Whatever in the settings would take the conversation to another model than ours, or ask somebody for credentials. */
const ELSEWHERE = [
  ['model'],
  ['apiKeyHelper'],
  ['env', 'ANTHROPIC_AUTH_TOKEN'],
  ['env', 'ANTHROPIC_MODEL'],
  ['env', 'CLAUDE_CODE_USE_BEDROCK'],
  ['env', 'CLAUDE_CODE_USE_VERTEX'],
  ['env', 'CLAUDE_CODE_USE_FOUNDRY'],
] as const

/**
 * Starts Claude Code in a scratch home with a copy of its settings, once for each way of acting, and has the scripted model make one call.
 * The organisation's settings hold as they always do.
 */
export async function proveClaudeCode(request: ProveRequest, ports: ProvePorts): Promise<readonly SurfaceProof[]> {
  const { program } = request.detection
  if (program === undefined) throw new Error('there is no `claude` on the PATH')
  const talk = copyState(request, ports)
  const proofs: SurfaceProof[] = []
  for (const name of request.detection.surfaces) {
    const script = SCRIPTS[name]
    if (script === undefined) proofs.push({ name, state: 'unfired', detail: 'nothing is known of how to fire at it' })
    else proofs.push(await proveSurface(ports, name, async (canary) => talk(program, script(canary, ports))))
  }
  return proofs
}

type Script = (canary: Canary, ports: Pick<ProvePorts, 'model'>) => { readonly canary: Canary; readonly turns: readonly Turn[] }

const bash = (command: string, more: { readonly run_in_background?: boolean } = {}) =>
  ({ tool: 'Bash', input: { command, ...more } }) as const
const once =
  (make: (canary: Canary) => Turn): Script =>
  (canary) => ({ canary, turns: [make(canary)] })

/** How each way is fired at. All of them only look, but for a file of the canary's own name in the scratch folder. */
const SCRIPTS: Readonly<Record<string, Script>> = {
  'hook:Bash': once(({ file }) => [bash(`cat ${file}`)]),
  'hook:Write': once(({ target, mark }) => [{ tool: 'Write', input: { file_path: target, content: mark } }]),
  'hook:Read': once(({ file }) => [{ tool: 'Read', input: { file_path: file } }]),
  'hook:mcp': once(({ word }) => [{ tool: MCP_TOOL, input: { word } }]),
  parallel: once(({ file }) => [bash('pwd'), bash('echo beside'), bash(`cat ${file}`)]),
  'sub-agent': (canary, { model }) => {
    // Its word, and not that of the canary: only the call of the sub-agent itself may count.
    const prompt = model.play([[bash(`cat ${canary.file}; cp ${canary.file} ${canary.target}`)]])
    const input = { description: 'canary', prompt, subagent_type: 'general-purpose', run_in_background: false }
    return { canary, turns: [[{ tool: 'Agent', input }]] }
  },
  background: (canary) => ({
    canary,
    turns: [[bash(`cp ${canary.file} ${canary.target}`, { run_in_background: true })], [bash('sleep 1')]],
  }),
}

/** Copies the settings into a scratch home, and answers what starts a conversation there. */
function copyState({ connection, detection }: ProveRequest, { scratch, model, start }: ProvePorts) {
  const settings = detection.files.find(({ role }) => role === 'settings')?.file
  if (settings === undefined) throw new Error('no settings file was found')
  const inProject = connection.config !== undefined
  const home = join(scratch, 'home')
  const configDirectory = join(home, '.claude')
  const copy = inProject ? join(scratch, '.claude', 'settings.json') : join(configDirectory, 'settings.json')
  for (const folder of [configDirectory, dirname(copy)]) mkdirSync(folder, { recursive: true })
  writeFileSync(copy, scratchSettings(readFileSync(settings, 'utf8'), settings, model.url))
  const servers = join(scratch, 'mcp.json')
  const [command, ...args] = canaryServer(scratch)
  writeFileSync(servers, JSON.stringify({ mcpServers: { canary: { type: 'stdio', command, args } } }))
  const { env } = connection.environment
  const environment = {
    ...{ PATH: env.PATH, LANG: env.LANG, TMPDIR: env.TMPDIR, HOME: home, CLAUDE_CONFIG_DIR: configDirectory },
    ...{ ANTHROPIC_API_KEY: 'sk-ant-canary', ANTHROPIC_BASE_URL: model.url, DISABLE_AUTOUPDATER: '1', DISABLE_TELEMETRY: '1' },
    ...{ DISABLE_ERROR_REPORTING: '1', CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', IS_SANDBOX: '1' },
  }
  return (program: string, { canary, turns }: ReturnType<Script>): Fired => {
    const word = model.play(turns)
    const flags = ['--output-format', 'json', '--mcp-config', servers, '--strict-mcp-config', '--allowedTools', ...ALLOWED]
    const started = start(program, ['-p', word, ...flags], { env: environment, cwd: scratch })
    const late = setTimeout(() => void started.stop(), TALK_MS)
    return {
      canary,
      timeoutMs: TALK_MS,
      results: () => model.results(word),
      over: started.ended.finally(() => clearTimeout(late)),
      end: () => started.stop(),
      why: () => {
        const told = model.results(word).at(-1)
        if (told !== undefined) return `the call was not made: ${told.slice(0, 300)}`
        const said = started.output().trim().slice(-300)
        return model.offered(word).length === 0 ? `Claude Code asked its model nothing: ${said}` : `no tool was called: ${said}`
      },
    }
  }
}

/**
 * The settings as they are, but for where the model is. Our hook is told where the file is that this is a copy of: what it says of the
 * configuration is about that one.
 */
export function scratchSettings(text: string, original: string, modelUrl: string): string {
  const elsewhere = ELSEWHERE.reduce(
    (at, path) => (nodeAt(parseRelaxed(at), path) === undefined ? at : removeAt(at, path)),
    text.trim() === '' ? '{}' : text,
  )
  const here = setAt(setAt(elsewhere, ['env', 'ANTHROPIC_BASE_URL'], modelUrl), ['env', 'ANTHROPIC_API_KEY'], 'sk-ant-canary')
  return withOriginal(here, original)
}

function withOriginal(text: string, original: string): string {
  const hooks = nodeAt(parseRelaxed(text), ['hooks'])
  if (hooks?.kind !== 'object') return text
  let result = text
  for (const { key: event, value: groups } of hooks.members) {
    if (groups.kind !== 'array') continue
    for (const [g, group] of groups.items.entries()) {
      const handlers = nodeAt(group, ['hooks'])
      if (handlers?.kind !== 'array') continue
      for (const [h, handler] of handlers.items.entries()) {
        const command = nodeAt(handler, ['command'])
        const words = command === undefined ? '' : plainOf(command)
        if (typeof words !== 'string' || !/\bhook'? '?claude-code\b/.test(words) || / '?--config\b/.test(words)) continue
        result = setAt(
          result,
          ['hooks', event, g, 'hooks', h, 'command'],
          `${words} --config '${original.replaceAll("'", "'\\''")}'`,
        )
      }
    }
  }
  return result
}
