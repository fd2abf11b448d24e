import { describe, expect, test } from 'vitest'
import type { ConnectRequest } from '@tidegate/connect'
import { modeOf, withHooks, withoutHooks } from '../src/settings.ts'

const request = (over: Partial<ConnectRequest> = {}): ConnectRequest => ({
  ...{ name: 'claude', mode: 'observe', permit: 'host', project: '/home/mei/my project', tokenFile: '/t' },
  command: ['/opt/node', '/opt/tidegate/tidegate.js'],
  environment: {
    home: '/home/mei',
    cwd: '/',
    platform: 'linux',
    env: {},
    run: async () => ({ code: null, stdout: '', stderr: '' }),
  },
  ...over,
})
const RECENT = { recent: true }
const handlers = (text: string, event: string): readonly Readonly<Record<string, unknown>>[] =>
  JSON.parse(text).hooks[event].flatMap((group: { readonly hooks: readonly Readonly<Record<string, unknown>>[] }) => group.hooks)

test('a hook for every tool, which is started without anything that a shell could read otherwise', () => {
  const [hook] = handlers(withHooks('{}', request(), RECENT), 'PreToolUse')
  expect(hook).toEqual({
    type: 'command',
    command:
      "exec /opt/node /opt/tidegate/tidegate.js hook claude-code --project '/home/mei/my project' --host claude --mode observe --wait 90",
    timeout: 120,
  })
  const quoted = withHooks('{}', request({ project: "/it's" }), RECENT)
  expect(handlers(quoted, 'PreToolUse')[0]?.command).toContain(`'/it'\\''s'`)
})

test('enforcing, a hook that fails blocks, and it waits longer than it asks', () => {
  const text = withHooks(
    '{}',
    request({ mode: 'enforce', waitSeconds: 300, permit: 'allow', tickets: true, config: '/c.json' }),
    RECENT,
  )
  expect(handlers(text, 'PreToolUse')[0]).toMatchObject({ onFailure: 'block', timeout: 330 })
  expect(handlers(text, 'PreToolUse')[0]?.command).toMatch(
    /--mode enforce --wait 300 --permit allow --tickets --config \/c.json$/,
  )
  expect(handlers(text, 'PostToolUse')[0]).not.toHaveProperty('onFailure')
  expect(modeOf(text)).toBe('enforce')
})

test('where there is no POSIX shell it is started without one', () => {
  const windows = request({ environment: { ...request().environment, platform: 'win32' } })
  expect(handlers(withHooks('{}', windows, RECENT), 'PreToolUse')[0]).toMatchObject({
    command: '/opt/node',
    args: expect.arrayContaining(['hook', 'claude-code']),
  })
  expect(withoutHooks(withHooks('{}', windows, RECENT)).text).toBe('{}')
})

test('an older version gets no events that it does not know', () => {
  expect(JSON.parse(withHooks('{}', request(), { recent: false })).hooks).not.toHaveProperty('PostToolBatch')
})

const existing: readonly (readonly [string, string])[] = [
  ['nothing', '{}'],
  ['other settings', '{\n  "model": "opus", // mine\n  "permissions": { "deny": ["Bash(rm:*)"] }\n}\n'],
  [
    'hooks of their own',
    '{\n    "hooks": {\n        "PreToolUse": [\n            { "matcher": "Bash", "hooks": [{ "type": "command", "command": "mine" }] }\n        ],\n        "Stop": []\n    }\n}\n',
  ],
]
describe.each(existing)('on top of %s', (_, before) => {
  const connected = withHooks(before, request(), RECENT)

  test('twice is once, and the mode is all that enforcing changes beside', () => {
    expect(withHooks(connected, request(), RECENT)).toBe(connected)
    const enforced = withHooks(connected, request({ mode: 'enforce' }), RECENT)
    expect(withHooks(enforced, request(), RECENT)).toBe(connected)
  })

  test('our parts come out again, and nothing else', () => {
    const { text, removed } = withoutHooks(connected)
    expect(removed.length).toBe(6)
    expect(text).toBe(before)
  })

  test('what is theirs stays in its place', () => {
    for (const line of before.split('\n').filter((each) => each.includes('mine'))) expect(connected).toContain(line.trimEnd())
  })
})

test('a handler that somebody put beside ours stays when ours goes, and ours does not take its place', () => {
  const connected = JSON.parse(withHooks('{}', request(), RECENT))
  connected.hooks.PreToolUse[0].hooks.push({ type: 'command', command: 'theirs' })
  const text = JSON.stringify(connected, null, 2)
  expect(handlers(withoutHooks(text).text, 'PreToolUse')).toEqual([{ type: 'command', command: 'theirs' }])
  expect(handlers(withHooks(text, request({ mode: 'enforce' }), RECENT), 'PreToolUse').map(({ command }) => command)).toContain(
    'theirs',
  )
})

test.each(['[]', '{"hooks": []}', '{"hooks": {"PreToolUse": {}}}'])('%s is not what Claude Code would understand', (text) => {
  expect(() => withHooks(text, request(), RECENT)).toThrow(expect.objectContaining({ code: 'configuration_unsupported' }))
})
