import type { JsonObject } from '@tidegate/kernel'

/** The verb of a tool: always the same, or by what its arguments ask for. */
export type Chosen = string | ((args: JsonObject) => string)

/**
 * Chooses by the `action`: `looks` only look, `special` names others, and everything else, also what a later release brings, is the
 * strictest.
 */
function byAction(
  looks: readonly string[],
  look: string,
  strictest: string,
  special: Readonly<Record<string, string>> = {},
): Chosen {
  return ({ action }) => {
    if (typeof action !== 'string') return strictest
    const name = action.trim().toLowerCase()
    if (looks.includes(name)) return look
    return Object.hasOwn(special, name) ? (special[name] ?? strictest) : strictest
  }
}

/** The same verb for several tools. */
function all(names: readonly string[], chosen: Chosen): Readonly<Record<string, Chosen>> {
  return Object.fromEntries(names.map((name) => [name, chosen]))
}

const MESSAGE_READS = ['read', 'reactions', 'search', 'list-pins', 'permissions', 'thread-list', 'member-info', 'role-info', 'emoji-list', 'sticker-search', 'channel-info', 'channel-list', 'voice-status', 'event-list'] // biome-ignore format: one list
const MESSAGE_SENDS = ['send', 'broadcast', 'poll', 'poll-vote', 'react', 'reply', 'thread-reply', 'thread-create', 'sendwitheffect', 'sendattachment', 'sticker', 'upload-file', 'conversation-open'] // biome-ignore format: one list

/** What the tools of OpenClaw 2026.5.7 and 2026.9.6 are, by their names in lower case. */
export const NAMES: Readonly<Record<string, Chosen>> = {
  // 2026.9.6 calls two tools `exec`: one takes a command, the other, of its code mode, a program that calls tools.
  exec: (args) => (typeof args.command === 'string' || typeof args.code !== 'string' ? 'exec' : 'code'),
  bash: 'exec',
  process: byAction(['list', 'poll', 'log'], 'process.look', 'process.write', {
    kill: 'process.end',
    clear: 'process.end',
    remove: 'process.end',
  }),
  ...all(['code_execution', 'tool_search_code', 'wait', 'llm-task'], 'code'),
  read: 'read',
  ls: 'ls',
  write: 'write',
  edit: 'edit',
  apply_patch: 'apply-patch',
  ...all(['web_fetch', 'firecrawl_scrape', 'tavily_extract'], 'web.fetch'),
  ...all(['web_search', 'x_search', 'firecrawl_search', 'tavily_search'], 'web.search'),
  browser: byAction(
    ['doctor', 'status', 'profiles', 'tabs', 'snapshot', 'screenshot', 'console', 'requests', 'errors', 'text'],
    'browser.look',
    'browser.act',
  ),
  message: byAction(
    MESSAGE_READS,
    'message.read',
    'message.manage',
    Object.fromEntries(MESSAGE_SENDS.map((each) => [each, 'message.send'])),
  ),
  ...all(['cron', 'automations'], byAction(['status', 'list', 'get', 'runs', 'next_check'], 'cron.look', 'cron.change')),
  ...all(['sessions_list', 'sessions_history', 'sessions_search', 'conversations_list'], 'sessions.look'),
  sessions_spawn: 'sessions.spawn',
  ...all(['sessions_send', 'sessions', 'suggest_task', 'dismiss_task', 'heartbeat_respond', 'talk_voice'], 'sessions.send'),
  subagents: byAction(['list', 'status', 'log', 'info'], 'sessions.look', 'sessions.send'),
  ...all(['conversations_send', 'conversations_turn'], 'conversations.send'),
  ...all(['session_status', 'agents_list', 'get_goal', 'github_identity_status'], 'status'),
  ...all(['update_plan', 'create_goal', 'update_goal', 'progress_card', 'sessions_yield', 'agents_wait', 'intent'], 'plan'),
  ask_user: 'ask-user',
  ...all(['tool_search', 'tool_describe'], 'tools.look'),
  tool_call: 'tools.call',
  ...all(['memory_search', 'memory_get', 'wiki_get', 'wiki_search', 'wiki_status', 'wiki_lint'], 'memory.read'),
  ...all(['wiki_apply', 'skill_workshop'], 'memory.write'),
  ...all(['image', 'view_image', 'pdf'], 'image.read'),
  ...all(['image_generate', 'music_generate', 'video_generate', 'tts'], 'media.make'),
  gateway: byAction(['config.get', 'config.schema', 'config.schema.lookup', 'status'], 'gateway.look', 'gateway.change'),
  plugins: byAction(['list', 'inspect', 'status', 'search'], 'gateway.look', 'gateway.change'),
  openclaw: 'gateway.change',
  nodes: byAction(
    ['status', 'describe', 'pending', 'which', 'device_status', 'device_info', 'device_permissions', 'device_health'],
    'nodes.look',
    'nodes.act',
  ),
  ...all(['computer', 'mobile_ui', 'node_inference', 'crabbox'], 'nodes.act'),
  ...all(['screen', 'terminal', 'portal', 'canvas', 'show_widget', 'theme', 'dashboard'], 'screen.act'),
  ...all(['secrets', 'onepassword'], 'secrets'),
  github_publish: 'publish',
  ...all(['file_fetch', 'dir_list', 'dir_fetch'], 'files.read'),
  file_write: 'files.write',
}
