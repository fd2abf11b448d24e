import { describe, expect, test } from 'vitest'
import type { Json } from '@tidegate/kernel'
import { hostTools } from '../src/tools.ts'
import { NAMES } from '../src/tool-names.ts'

const { binding, operations } = hostTools()
const byId = new Map(operations.map((operation) => [operation.id, operation]))
const of = (tool: string, args: Json = {}) => binding.operationOf(tool, args, {})

/** Tools of the packages 2026.5.7 and 2026.9.6: their catalogues, and those that their bundled plugins and harness add. */
const TOOLS_OF_57 = `read write edit apply_patch exec process code_execution web_search web_fetch x_search memory_search memory_get sessions_list
  sessions_history sessions_send sessions_spawn sessions_yield subagents session_status browser canvas message heartbeat_respond cron gateway nodes
  agents_list update_plan image image_generate music_generate video_generate tts file_fetch dir_list dir_fetch file_write firecrawl_search
  firecrawl_scrape llm-task wiki_apply wiki_get wiki_lint wiki_search wiki_status skill_workshop tavily_search tavily_extract pdf`
const TOOLS_OF_96 = `ls read write edit apply_patch exec process code_execution secrets web_search web_fetch x_search memory_search memory_get sessions
  sessions_list sessions_history sessions_search conversations_list conversations_send conversations_turn sessions_send sessions_spawn
  github_identity_status github_publish agents_wait sessions_yield subagents session_status suggest_task dismiss_task browser screen theme dashboard
  terminal portal canvas show_widget message heartbeat_respond gateway plugins openclaw nodes computer mobile_ui agents_list get_goal create_goal
  update_goal progress_card ask_user skill_workshop view_image image_generate music_generate video_generate tts pdf automations cron tool_search
  tool_describe tool_call tool_search_code wait crabbox file_fetch dir_list dir_fetch file_write llm-task intent wiki_apply node_inference
  onepassword talk_voice`

describe('the tools of OpenClaw', () => {
  test.each([
    ['2026.5.7', TOOLS_OF_57],
    ['2026.9.6', TOOLS_OF_96],
  ])('all of %s are known', (_, tools) => {
    expect(tools.split(/\s+/).filter((tool) => !Object.hasOwn(NAMES, tool))).toEqual([])
  })

  test('each is an operation that is declared', () => {
    const verbs = Object.values(NAMES).flatMap((chosen) =>
      typeof chosen === 'string'
        ? [chosen]
        : [chosen({}), chosen({ action: 'list' }), chosen({ action: 'send' }), chosen({ command: 'x' })],
    )
    expect(verbs.filter((verb) => !byId.has(`openclaw.${verb}`))).toEqual([])
  })

  test.each<[string, Json, string]>([
    ['exec', { command: 'ls', pty: true, elevated: true }, 'openclaw.exec'],
    ['Exec', { command: 'ls' }, 'openclaw.exec'],
    ['exec', { code: 'await tools.call()' }, 'openclaw.code'],
    ['exec', { code: 'x', command: 'ls' }, 'openclaw.exec'],
    ['exec', {}, 'openclaw.exec'],
    ['process', { action: 'poll', sessionId: 's' }, 'openclaw.process.look'],
    ['process', { action: 'kill', sessionId: 's' }, 'openclaw.process.end'],
    ['process', { action: 'submit', sessionId: 's' }, 'openclaw.process.write'],
    ['process', { action: 'something new' }, 'openclaw.process.write'],
    ['process', { action: ['list'] }, 'openclaw.process.write'],
    ['cron', { action: 'list' }, 'openclaw.cron.look'],
    ['cron', { action: 'add', job: {} }, 'openclaw.cron.change'],
    ['cron', {}, 'openclaw.cron.change'],
    ['message', { action: 'send', to: 'x' }, 'openclaw.message.send'],
    ['message', { action: 'READ', to: 'x' }, 'openclaw.message.read'],
    ['message', { action: 'ban' }, 'openclaw.message.manage'],
    ['message', { action: 'constructor' }, 'openclaw.message.manage'],
    ['gateway', { action: 'config.get' }, 'openclaw.gateway.look'],
    ['gateway', { action: 'config.patch', raw: '{}' }, 'openclaw.gateway.change'],
    ['openclaw', { request: 'turn it off' }, 'openclaw.gateway.change'],
    ['tool_call', { id: 'exec', args: {} }, 'openclaw.tools.call'],
    ['tidegate__desk_read', { a: 1 }, 'openclaw.other'],
    ['constructor', {}, 'openclaw.other'],
    ['exec', 'ls', 'openclaw.other'],
    ['write', { path: 'x', content: 'y' }, 'openclaw.write'],
    ['write', { file_path: 'x', content: 'y' }, 'openclaw.write'],
    ['write', { content: 'y' }, 'openclaw.other'],
    ['write', { path: 'x', content: 'y', append: true }, 'openclaw.write'],
    ['exec', { command: ['ls'] }, 'openclaw.other'],
    ['exec', { command: 'ls', elevated: 'yes' }, 'openclaw.other'],
    ['edit', { path: 'x', edits: [{ oldText: 'a', newText: 'b' }] }, 'openclaw.edit'],
  ])('%s %j is %s', (tool, args, id) => {
    const chosen = of(tool, args)
    expect(chosen.operation).toBe(id)
    expect(byId.get(chosen.operation)?.input.parse(chosen.arguments)).toEqual({ ok: true, value: chosen.arguments })
  })

  test('arguments are kept whole, so that what was decided can be handed back; an alias of a path is a path', () => {
    const args = { command: 'ls', env: { A: 'b' }, new: [null, { deep: 1 }] }
    expect(of('exec', args).arguments).toEqual({ command: 'ls', env: { A: 'b' }, _more: { new: [null, { deep: 1 }] } })
    expect(of('exec', { command: 'ls', _more: {} }).operation).toBe('openclaw.other')
    expect(of('read', { file_path: '/etc/passwd' }).arguments).toEqual({ path: '/etc/passwd' })
    expect(of('read', { path: 'a', file_path: 'b' }).operation).toBe('openclaw.other')
    expect(of('unheard-of', { a: 1 }).arguments).toEqual({ tool: 'unheard-of', arguments: { a: 1 } })
  })
})

describe('what they are', () => {
  test('what nobody classified is so, and as bad as can be', () => {
    expect(byId.get('openclaw.other')).toMatchObject({
      nature: ['unclassified'],
      risk: 'critical',
      mutability: 'write',
      blastRadius: 'admin',
    })
  })

  test('nothing else is unclassified, and everything says how data flows through it', () => {
    expect(operations.filter(({ id, nature }) => id !== 'openclaw.other' && nature.includes('unclassified'))).toEqual([])
    expect(operations.filter(({ flow }) => flow === undefined)).toEqual([])
  })

  test('what comes from the web, messages, files and commands is third-party text', () => {
    const outside = ['exec', 'process.look', 'read', 'web.fetch', 'web.search', 'browser.look', 'browser.act', 'message.read', 'memory.read', 'image.read', 'sessions.look', 'nodes.act', 'files.read', 'other'] // biome-ignore format: one list
    expect(outside.filter((verb) => byId.get(`openclaw.${verb}`)?.flow?.outputs['']?.origin !== 'third-party')).toEqual([])
  })

  test('a read is a read: nothing that changes something says it only reads', () => {
    const reads = operations.filter(({ mutability }) => mutability === 'read').map(({ id }) => id)
    expect(reads.toSorted()).toEqual(
      ['browser.look', 'cron.look', 'files.read', 'gateway.look', 'image.read', 'ls', 'memory.read', 'message.read', 'nodes.look', 'process.look', 'read', 'sessions.look', 'status', 'tools.call', 'tools.look', 'web.fetch', 'web.search'].map((verb) => `openclaw.${verb}`), // biome-ignore format: one list
    )
  })

  test('what a host tells about a call fits, also that it told nothing', () => {
    for (const { output } of operations) {
      expect(output.parse({ content: [{ type: 'text', text: 'x' }], details: { exitCode: 0 } }).ok).toBe(true)
      expect(output.parse({ reported: false }).ok).toBe(true)
    }
  })
})
