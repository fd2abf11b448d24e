import { expect, test } from 'vitest'
import { scratchSettings } from '../src/prove.ts'

const ours = 'exec /node /tidegate.js hook claude-code --project /p --host claude --mode observe'
const SETTINGS = `{
  // mine
  "model": "opus", "apiKeyHelper": "get-key",
  "env": { "ANTHROPIC_AUTH_TOKEN": "real", "CLAUDE_CODE_USE_BEDROCK": "1", "MINE": "stays" },
  "permissions": { "deny": ["Bash(rm:*)"] },
  "hooks": {
    "PreToolUse": [
      { "matcher": "Write", "hooks": [{ "type": "command", "command": "theirs" }] },
      { "matcher": "*", "hooks": [{ "type": "command", "command": "${ours}" }] }
    ]
  }
}`

test('the copy of the settings asks the scripted model, and is about the original', () => {
  const copy = scratchSettings(SETTINGS, "/home/me/it's.json", 'http://127.0.0.1:9')
  const settings = JSON.parse(copy.replace('// mine', ''))
  expect(settings).toMatchObject({
    env: { ANTHROPIC_BASE_URL: 'http://127.0.0.1:9', MINE: 'stays' },
    permissions: { deny: ['Bash(rm:*)'] },
    hooks: {
      PreToolUse: [
        { matcher: 'Write', hooks: [{ command: 'theirs' }] },
        { matcher: '*', hooks: [{ command: `${ours} --config '/home/me/it'\\''s.json'` }] },
      ],
    },
  })
  expect(copy).not.toMatch(/opus|get-key|"real"|BEDROCK/)
})

test('settings that name their file already are left as they are; empty ones are an object', () => {
  const named = `{"hooks":{"PreToolUse":[{"hooks":[{"type":"command","command":"${ours} --config /a"}]}]}}`
  expect(JSON.parse(scratchSettings(named, '/b', 'http://127.0.0.1:9')).hooks).toEqual(JSON.parse(named).hooks)
  expect(JSON.parse(scratchSettings('', '/b', 'http://127.0.0.1:9')).env.ANTHROPIC_BASE_URL).toBe('http://127.0.0.1:9')
})
