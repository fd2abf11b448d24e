import type { Json } from '@tidegate/kernel'
import type { ConnectRequest } from '@tidegate/connect'

/** The name under which the plugin and our MCP server stand in the configuration of OpenClaw. */
export const OURS = 'tidegate'
/** Stands in lists before what is ours, so that a list that somebody changed since can be told apart. No tool has this name. */
export const MARK = 'tidegate-connected'

/** What is denied by name while enforcing: what acts by itself. Groups mean different tools in each release, so that names stand beside them. */
export const DENIED: readonly string[] = [
  ...['group:runtime', 'group:fs', 'group:automation', 'group:nodes', 'group:ui'],
  ...['exec', 'bash', 'process', 'code_execution', 'read', 'write', 'edit', 'apply_patch', 'ls'],
  ...[
    'openclaw',
    'gateway',
    'plugins',
    'cron',
    'automations',
    'nodes',
    'computer',
    'mobile_ui',
    'terminal',
    'screen',
    'portal',
    'canvas',
  ],
  ...['browser', 'file_write', 'file_fetch', 'dir_fetch', 'dir_list', 'secrets', 'github_publish', 'crabbox', 'tool_search_code'],
]

/**
 * What stays beside our own tools while enforcing: looks and notes of the agent about itself. Everything else that OpenClaw or a plugin
 * brings is left out, also what a later release adds: a tool that is not on the list does nothing when the plugin is gone.
 */
export const KEPT: readonly string[] = [
  `${OURS}__*`,
  ...['session_status', 'sessions_list', 'sessions_history', 'sessions_yield', 'sessions_spawn', 'subagents', 'agents_list'],
  ...['memory_search', 'memory_get', 'update_plan', 'tool_search', 'tool_describe', 'tool_call'],
]

/** Single settings while enforcing: ways to the machine that no hook sees. `since` says from which release on OpenClaw knows the key. */
export const CLOSED: readonly { readonly path: readonly string[]; readonly since?: string; readonly why: string }[] = [
  { path: ['acp', 'enabled'], why: 'other coding agents that OpenClaw would start bring tools of their own' },
  { path: ['gateway', 'terminal', 'enabled'], since: '2026.6', why: 'the terminal of the operator is a shell of the host' },
]

/** The plugin, in the words of OpenClaw. What the person has set beside ours stays. */
export function pluginEntry(
  request: ConnectRequest & { readonly url: string },
  configFile: string,
  existing: Json | undefined,
): Json {
  const before = objectOf(existing)
  const waitMs = request.waitSeconds === undefined ? {} : { waitMs: Math.min(580, request.waitSeconds) * 1000 }
  const hooks = objectOf(before.hooks)
  return {
    ...before,
    enabled: true,
    hooks: { ...hooks, timeouts: { ...objectOf(hooks.timeouts), before_tool_call: 600_000 } },
    config: {
      ...objectOf(before.config),
      endpoint: request.url,
      tokenFile: request.tokenFile,
      mode: request.mode,
      ...waitMs,
      server: OURS,
      configFile,
    },
  }
}

/**
 * Our MCP server, in the words of OpenClaw: a child process of OpenClaw that reads the token itself. OpenClaw has no way to name a file
 * for a header, and a token in the configuration would be read by every backup of it.
 */
export function serverEntry({ command: [program, ...args], project, name }: ConnectRequest): Json {
  return { command: program, args: [...args, 'mcp', '--host', name, '--project', project] }
}

function objectOf(value: Json | undefined): { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as { readonly [key: string]: Json }) : {}
}
