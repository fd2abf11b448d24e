import { describe, expect, test } from 'vitest'
import type { Json } from '@tidegate/kernel'
import { placeOf } from '../src/tools/place.ts'
import { hostTools } from '../src/tools/tools.ts'

const { binding, operations } = hostTools()
const byId = new Map(operations.map((operation) => [operation.id, operation]))
const verbOf = (tool: string, args: Json): string =>
  binding.operationOf(tool, args, { cwd: '/repo' }).operation.replace('claude-code.', '')

const cases: readonly (readonly [string, Json, string])[] = [
  ['Bash', { command: 'npm test' }, 'bash'],
  ['Bash', { command: 'ls', run_in_background: true }, 'bash'],
  ['Bash', { command: 7 }, 'bash'],
  ['BashOutput', { bash_id: 'x' }, 'shell.output'],
  ['KillShell', { shell_id: 'x' }, 'shell.end'],
  ['TaskStop', { task_id: 'x' }, 'shell.end'],
  ['Monitor', { command: 'tail -f x', description: 'd', timeout_ms: 1 }, 'monitor'],
  ['Read', { file_path: '/repo/a.ts' }, 'read'],
  ['Read', { file_path: '/home/mei/.ssh/id_ed25519' }, 'read.secret'],
  ['Write', { file_path: '/repo/a.ts', content: 'x' }, 'write'],
  ['Write', { file_path: '/repo/.claude/settings.local.json', content: '{}' }, 'configure'],
  ['Write', { file_path: '/repo/x/../.git/hooks/pre-commit', content: '' }, 'configure'],
  ['Write', { content: 'x' }, 'other'],
  ['Edit', { file_path: '/repo/a.ts', old_string: 'a', new_string: 'b' }, 'edit'],
  ['MultiEdit', { file_path: '/repo/.TideGate/x', edits: [] }, 'configure'],
  ['NotebookEdit', { notebook_path: '/repo/a.ipynb', new_source: '' }, 'notebook.edit'],
  ['Glob', { pattern: '**' }, 'find'],
  ['Grep', { pattern: 'x', path: '/home/mei/.aws/credentials' }, 'read.secret'],
  ['WebFetch', { url: 'https://example.org', prompt: 'p' }, 'web.fetch'],
  ['WebSearch', { query: 'q' }, 'web.search'],
  ['Task', { prompt: 'p' }, 'agent'],
  ['Agent', { prompt: 'p' }, 'agent'],
  ['Workflow', { script: 's' }, 'workflow'],
  ['TodoWrite', { todos: [] }, 'todo'],
  ['Skill', { skill: 's' }, 'skill'],
  ['SlashCommand', { command: '/x' }, 'skill'],
  ['ExitPlanMode', {}, 'plan'],
  ['AskUserQuestion', { questions: [] }, 'notify'],
  ['CronCreate', { cron: '* * * * *', prompt: 'p' }, 'schedule'],
  ['RemoteTrigger', { action: 'list' }, 'schedule.read'],
  ['RemoteTrigger', { action: 'LIST' }, 'schedule'],
  ['ExitWorktree', { action: 'remove' }, 'worktree.remove'],
  ['mcp__github__create_issue', { title: 't' }, 'mcp'],
  ['mcp____x', {}, 'other'],
  ['Tomorrow', { x: 1 }, 'other'],
  ['constructor', {}, 'other'],
]
test.each(cases)('%s %j is %s', (tool, args, verb) => {
  expect(verbOf(tool, args)).toBe(verb)
  const { operation, arguments: bound } = binding.operationOf(tool, args, { cwd: '/repo' })
  expect(byId.get(operation)?.input.parse(bound)).toEqual({ ok: true, value: bound })
})

describe('places', () => {
  const places: readonly (readonly [string, string])[] = [
    ['/repo/src/a.ts', 'plain'],
    ['src/../.claude/hooks/x.sh', 'control'],
    ['/home/mei/.claude.json', 'control'],
    ['C:\\Users\\mei\\.claude\\settings.json', 'control'],
    ['/repo/tidegate.yaml', 'control'],
    ['/home/mei/.bashrc', 'control'],
    ['/repo/.env.production', 'secret'],
    ['/home/mei/.SSH/config', 'secret'],
    ['/repo/.tidegate/tokens/host-claude.token', 'secret'],
    ['/repo/.claude', 'plain'],
    ['/repo/environment.ts', 'plain'],
  ]
  test.each(places)('%s is %s', (path, place) => expect(placeOf(path, '/repo')).toBe(place))
})

describe('the operations', () => {
  test('every one can be reached, and has a class for everything that policy asks', () => {
    expect(operations.length).toBe(30)
    const reached = new Set([
      ...cases.map(([tool, args]) => verbOf(tool, args)),
      ...['message', 'todo.read', 'tool.search', 'mcp.read', 'search', 'worktree'],
    ])
    expect(reached).toEqual(new Set(operations.map(({ id }) => id.replace('claude-code.', ''))))
  })

  test('what is not known asks, by every measure', () => {
    expect(byId.get('claude-code.other')).toMatchObject({
      risk: 'high',
      nature: ['unclassified'],
      dataClass: 'secret',
      reversibility: 'irreversible',
    })
  })

  test('a file can be gone back on, a command cannot', () => {
    expect(
      ['write', 'edit', 'notebook.edit', 'configure', 'bash'].map((verb) => byId.get(`claude-code.${verb}`)?.reversibility),
    ).toEqual([...['reversible', 'reversible', 'reversible', 'irreversible', 'irreversible']])
  })

  test('a file of 500 KiB may be written; more than 1 MiB is refused', () => {
    const write = byId.get('claude-code.write')?.input
    expect(write?.parse({ file_path: '/a', content: 'x'.repeat(500_000), later: true }).ok).toBe(true)
    expect(write?.parse({ file_path: '/a', content: 'x'.repeat(1_100_000) }).ok).toBe(false)
    expect(write?.parse({ content: '' }).ok).toBe(false)
  })
})
