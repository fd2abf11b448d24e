import { isObject, type Json, type JsonObject } from '@tidegate/kernel'
import { placeOf } from './place.ts'

/** The verb of a tool: always the same, or by what its arguments ask for. */
export type Chosen = string | ((args: JsonObject, cwd: string | undefined) => string)

/** A tool that writes a file: what decides about agents is another matter than text. */
const writes =
  (verb: string): Chosen =>
  ({ file_path: file, notebook_path: notebook }, cwd) => {
    const path = file ?? notebook
    return typeof path === 'string' && placeOf(path, cwd) !== 'plain' ? 'configure' : verb
  }

/** A tool that shows what is at a path. */
const reads =
  (verb: string): Chosen =>
  ({ file_path: file, notebook_path: notebook, path: folder }, cwd) => {
    const path = file ?? notebook ?? folder
    return typeof path === 'string' && placeOf(path, cwd) === 'secret' ? 'read.secret' : verb
  }

/** What the tools of Claude Code 2.0 to 2.1 are, by their names. Both names of those that were renamed. */
export const NAMES: Readonly<Record<string, Chosen>> = {
  Bash: 'bash',
  Monitor: 'monitor',
  ...all(['BashOutput', 'TaskOutput', 'AgentOutput'], 'shell.output'),
  ...all(['KillShell', 'KillBash', 'TaskStop'], 'shell.end'),
  ...all(['Read', 'NotebookRead'], reads('read')),
  Write: writes('write'),
  ...all(['Edit', 'MultiEdit'], writes('edit')),
  NotebookEdit: writes('notebook.edit'),
  ...all(['Glob', 'LS'], reads('find')),
  Grep: reads('search'),
  WebFetch: 'web.fetch',
  WebSearch: 'web.search',
  ...all(['Task', 'Agent'], 'agent'),
  Workflow: 'workflow',
  SendMessage: 'message',
  ...all(['PushNotification', 'AskUserQuestion'], 'notify'),
  ...all(['TodoWrite', 'TaskCreate', 'TaskUpdate'], 'todo'),
  ...all(['TodoRead', 'TaskGet', 'TaskList', 'ListAgents', 'ReadNotifications'], 'todo.read'),
  ...all(['EnterPlanMode', 'ExitPlanMode', 'exit_plan_mode'], 'plan'),
  ...all(['Skill', 'SlashCommand'], 'skill'),
  ToolSearch: 'tool.search',
  ...all(
    [
      'ListMcpResourcesTool',
      'ReadMcpResourceTool',
      'ReadMcpResourceDirTool',
      'ListMcpResources',
      'ReadMcpResource',
      'ReadMcpResourceDir',
      'RefreshMcpTools',
    ],
    'mcp.read',
  ),
  ...all(['CronList'], 'schedule.read'),
  ...all(['CronCreate', 'CronDelete', 'ScheduleWakeup'], 'schedule'),
  RemoteTrigger: ({ action }) =>
    ['list', 'get', 'list_runs', 'get_run_log'].includes(String(action)) ? 'schedule.read' : 'schedule',
  EnterWorktree: 'worktree',
  ExitWorktree: ({ action }) => (action === 'keep' ? 'worktree' : 'worktree.remove'),
}

function all(names: readonly string[], chosen: Chosen): Readonly<Record<string, Chosen>> {
  return Object.fromEntries(names.map((name) => [name, chosen]))
}

/** A call of a tool of an MCP server, as Claude Code names them: `mcp__<server>__<tool>`. */
const MCP = /^mcp__(.+?)__(.+)$/

/** Which operation a call is, before anybody has looked whether the operation takes its arguments; undefined for one that is not known. */
export function choose(
  tool: string,
  args: Json,
  cwd: string | undefined,
): { readonly verb: string; readonly arguments: Json } | undefined {
  if (!isObject(args)) return undefined
  const [, server, name] = MCP.exec(tool) ?? []
  if (server !== undefined && name !== undefined) return { verb: 'mcp', arguments: { server, tool: name, arguments: args } }
  const chosen = Object.hasOwn(NAMES, tool) ? NAMES[tool] : undefined
  if (chosen === undefined) return undefined
  return { verb: typeof chosen === 'string' ? chosen : chosen(args, cwd), arguments: args }
}
