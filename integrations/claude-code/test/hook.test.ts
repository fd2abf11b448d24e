import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type HookEnd, mainHook, runHook } from '../src/hook/run-hook.ts'
import { type DoorStandIn, openDoorStandIn } from './door-stand-in.ts'

let project: string
let door: DoorStandIn
beforeEach(async () => {
  project = mkdtempSync(join(tmpdir(), 'tidegate-hook-'))
  door = await openDoorStandIn(project)
})
afterEach(async () => {
  await door.close()
  rmSync(project, { recursive: true, force: true })
})

const SESSION = { session_id: 's-1', cwd: '/repo', transcript_path: '/t', permission_mode: 'default' }
const CALL = {
  ...SESSION,
  hook_event_name: 'PreToolUse',
  tool_name: 'Bash',
  tool_input: { command: 'ls' },
  tool_use_id: 'toolu_1',
}

async function* bytes(text: string | Uint8Array): AsyncGenerator<Uint8Array> {
  yield typeof text === 'string' ? new TextEncoder().encode(text) : text
}

function hook(event: unknown, flags: Readonly<Record<string, string>> = {}, more: readonly string[] = []): Promise<HookEnd> {
  const options = { '--project': project, '--host': 'claude', '--mode': 'enforce', '--wait': '1', ...flags }
  const text = event instanceof Uint8Array || typeof event === 'string' ? event : JSON.stringify(event)
  return runHook([...Object.entries(options).flat(), ...more], {
    stdin: bytes(text),
    env: { AI_AGENT: 'claude-code_2-1-329_harness' },
  })
}

/** What Claude Code makes of the end of a hook of PreToolUse, as it was seen to: docs/guide/claude-code.md has the table. */
function meaningOf({ exit, output }: HookEnd): string {
  if (exit === 2) return 'blocked'
  const { hookSpecificOutput: said } = JSON.parse(output)
  expect(said.hookEventName).toBe('PreToolUse')
  return said.permissionDecision ?? 'no objection'
}

const answers: readonly (readonly [string, unknown, string, string])[] = [
  ['a permit', { answer: 'permit', arguments: { command: 'ls' } }, 'no objection', 'no objection'],
  ['a permit without arguments', { answer: 'permit' }, 'deny', 'no objection'],
  ['denied', { answer: 'denied', reasons: ['r'] }, 'deny', 'deny'],
  ['denied without a reason', { answer: 'denied' }, 'deny', 'deny'],
  ['pending', { answer: 'pending', approval: 'a-1', message: 'm' }, 'deny', 'deny'],
  ['rehearsed', { answer: 'rehearsed', preview: { x: 1 } }, 'deny', 'deny'],
  ['stopped', { answer: 'stopped', message: 'm' }, 'deny', 'deny'],
  ['failed', { answer: 'failed', message: 'm' }, 'deny', 'no objection'],
  ['an answer of tomorrow', { answer: 'perhaps' }, 'deny', 'no objection'],
  ['no answer in the document', {}, 'deny', 'no objection'],
  ['a list', '[]', 'deny', 'no objection'],
  ['half of JSON', '{"answer":"per', 'deny', 'no objection'],
  ['nothing', '', 'deny', 'no objection'],
  ['a refusal', 401, 'deny', 'no objection'],
  ['a defect of the server', 500, 'deny', 'no objection'],
  ['a ticket that has none', { answer: 'ticket', arguments: { command: 'ls' } }, 'deny', 'no objection'],
]

describe.each(answers)('%s', (_, answer, enforced, observed) => {
  test(`when enforcing: ${enforced}`, async () => {
    door.answer(() => answer)
    expect(meaningOf(await hook(CALL))).toBe(enforced)
  })
  test(`when observing: ${observed}`, async () => {
    door.answer(() => answer)
    expect(meaningOf(await hook(CALL, { '--mode': 'observe' }))).toBe(observed)
  })
})

describe('whatever is wrong with the message', () => {
  const broken: readonly (readonly [string, unknown])[] = [
    ['nothing', ''],
    ['not JSON', 'PreToolUse'],
    ['a list', '[]'],
    ['no event', '{}'],
    ['no session', { ...CALL, session_id: undefined }],
    ['a session that is no name', { ...CALL, session_id: 'a\u0000b' }],
    ['no id of the call', { ...CALL, tool_use_id: undefined }],
    ['no tool', { ...CALL, tool_name: 7 }],
    ['arguments that are a text', { ...CALL, tool_input: 'ls' }],
    ['arguments without end', { ...CALL, tool_input: { a: JSON.parse(`${'['.repeat(100)}${']'.repeat(100)}`) } }],
    ['more than 16 MiB', new Uint8Array(17 * 1_048_576)],
  ]
  test.each(broken)('%s: blocked when enforcing, no objection when observing, nothing asked', async (_, event) => {
    const enforced = await hook(event)
    expect([enforced.exit, enforced.output]).toEqual([2, ''])
    expect(enforced.complaint).toMatch(/^Tidegate: .+\.\n$/)
    const observed = await hook(event, { '--mode': 'observe' })
    expect([observed.exit, JSON.parse(observed.output)]).toEqual([0, { suppressOutput: true }])
    expect(door.asked).toEqual([])
  })

  const flags: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['a mode that is none', { '--mode': 'maybe' }],
    ['a project that is not absolute', { '--project': 'p' }],
    ['a wait without end', { '--wait': '9999' }],
    ['a flag that is none', { '--yes': '1' }],
  ]
  test.each(flags)('%s', async (_, over) => expect((await hook(CALL, over)).exit).toBe(2))
})

describe('nobody answers', () => {
  test.each(['server.json', 'tokens/host-claude.token'])('without %s', async (file) => {
    rmSync(join(project, '.tidegate', file))
    const end = await hook(CALL)
    expect([meaningOf(end), end.output]).toEqual(['deny', expect.stringContaining('It was not made.')])
    expect(meaningOf(await hook(CALL, { '--mode': 'observe' }))).toBe('no objection')
  })

  test('a server that is gone', async () => {
    await door.close()
    expect(meaningOf(await hook(CALL))).toBe('deny')
    expect(meaningOf(await hook(CALL, { '--mode': 'observe' }))).toBe('no objection')
  })

  test('an address that is not of this machine gets no token', async () => {
    const { writeFileSync } = await import('node:fs')
    writeFileSync(join(project, '.tidegate', 'server.json'), JSON.stringify({ url: 'http://192.0.2.1:1', pid: 1 }))
    expect((await hook(CALL)).output).toContain('its server does not run')
  })

  test('a server that hangs', async () => {
    door.answer(() => pause(60_000, {}, { ref: false }))
    const args = ['--project', project, '--host', 'claude', '--mode', 'enforce', '--wait', '0']
    const end = await runHook(args, { stdin: bytes(JSON.stringify(CALL)), env: {}, answerMs: 200 })
    expect([meaningOf(end), end.output]).toEqual(['deny', expect.stringContaining('did not answer within')])
  })
})

describe('a permit', () => {
  test('hands on what was decided when it is not what was asked', async () => {
    door.answer(() => ({ answer: 'permit', arguments: { command: 'ls -l' } }))
    expect(JSON.parse((await hook(CALL)).output).hookSpecificOutput).toEqual({
      hookEventName: 'PreToolUse',
      updatedInput: { command: 'ls -l' },
    })
  })

  test('is no more than no objection, unless that is wished, and never for what would have been stopped', async () => {
    door.answer(() => ({ answer: 'permit', arguments: { command: 'ls' } }))
    expect(meaningOf(await hook(CALL))).toBe('no objection')
    expect(meaningOf(await hook(CALL, { '--permit': 'allow' }))).toBe('allow')
    door.answer(() => ({ answer: 'permit', arguments: { command: 'ls' }, would: { outcome: 'deny', reasons: ['r'] } }))
    expect(meaningOf(await hook(CALL, { '--permit': 'allow' }))).toBe('no objection')
  })

  const wrapped: readonly (readonly [string, object, object])[] = [
    ['mcp__files__read', { server: 'files', tool: 'read', arguments: { path: 'a' } }, { path: 'a' }],
    ['Novelty', { tool: 'Novelty', arguments: { path: 'a' } }, { path: 'a' }],
    ['Other', { tool: 'Novelty', arguments: {} }, { tool: 'Novelty', arguments: {} }],
  ]
  test.each(wrapped)('%s: arguments that were wrapped are taken out again', async (tool, decided, input) => {
    door.answer(() => ({ answer: 'permit', arguments: decided }))
    const end = await hook({ ...CALL, tool_name: tool, tool_input: input })
    expect(JSON.parse(end.output).hookSpecificOutput).toEqual({ hookEventName: 'PreToolUse' })
  })

  test('our own tools decide themselves, or with a ticket', async () => {
    const event = { ...CALL, tool_name: 'mcp__tidegate__desk_ticket_read', tool_input: { id: 1 } }
    expect(meaningOf(await hook(event))).toBe('no objection')
    expect(door.asked).toEqual([])
    door.answer((body) => ({ answer: 'ticket', arguments: body.arguments, ticket: 't-1' }))
    const end = await hook(event, {}, ['--tickets'])
    expect(door.asked[0]?.body).toMatchObject({ tool: 'desk_ticket_read', by: 'tidegate' })
    expect(JSON.parse(end.output).hookSpecificOutput.updatedInput).toEqual({ id: 1, _tidegate_ticket: 't-1' })
  })
})

describe('what is asked and told', () => {
  test('a call', async () => {
    await hook(CALL)
    const body = {
      session: 's-1',
      call: 'toolu_1',
      tool: 'Bash',
      arguments: { command: 'ls' },
      by: 'host',
      waitMs: 1_000,
      cwd: '/repo',
    }
    expect(door.asked).toEqual([{ path: '/v1/host/calls', body }])
    await hook(CALL, { '--mode': 'observe', '--wait': '90' })
    expect(door.asked[1]?.body.waitMs).toBe(0)
  })

  test('what came of it', async () => {
    const done = { ...SESSION, hook_event_name: 'PostToolUse', tool_use_id: 'toolu_1', duration_ms: 3.4 }
    await hook({ ...done, tool_response: { stdout: 'x' } })
    await hook({ ...done, tool_response: ['x'] })
    await hook({ ...done, tool_response: { stdout: 'é'.repeat(300_000) } })
    await hook({ ...done, hook_event_name: 'PostToolUseFailure', error: 'Exit code 3' })
    const [first, second, third, last] = door.asked.map(({ body }) => body)
    expect(first).toEqual({ session: 's-1', call: 'toolu_1', ok: true, output: { stdout: 'x' }, durationMs: 3 })
    expect(second?.output).toEqual({ content: ['x'] })
    expect([third?.truncated, JSON.stringify(third).length < 300_000]).toEqual([true, true])
    expect(last).toEqual({ session: 's-1', call: 'toolu_1', ok: false, error: 'Exit code 3', durationMs: 3 })
  })

  test('what was refused after our permit', async () => {
    await hook({
      ...SESSION,
      hook_event_name: 'PostToolBatch',
      tool_calls: [{ tool_use_id: 'a' }, { tool_use_id: 'b' }, { x: 1 }],
    })
    expect(door.asked.map(({ body: { call, ok } }) => [call, ok])).toEqual([
      ['a', false],
      ['b', false],
    ])
  })

  test('what the person said, and who we are', async () => {
    await hook({ ...SESSION, hook_event_name: 'UserPromptSubmit', prompt: 'tidy up' })
    await hook({ ...SESSION, hook_event_name: 'SessionStart', source: 'startup' })
    expect(door.asked[0]).toEqual({ path: '/v1/host/heard', body: { session: 's-1', text: 'tidy up', from: 'user' } })
    expect(door.asked[1]?.body).toMatchObject({ kind: 'claude-code', hostVersion: '2.1.329', pluginVersion: '0.1.0' })
  })

  test.each(['PostToolUse', 'UserPromptSubmit', 'SessionStart'])(
    '%s never stops anything, whoever does not answer',
    async (name) => {
      await door.close()
      const end = await hook({ ...SESSION, hook_event_name: name, tool_use_id: 'a', prompt: 'p' })
      expect([end.exit, JSON.parse(end.output).hookSpecificOutput, end.complaint]).toEqual([
        0,
        undefined,
        expect.stringMatching(/./),
      ])
    },
  )

  test.each(['Stop', 'PermissionRequest', 'SubagentStart', 'Tomorrow'])('%s is none of ours', async (name) => {
    const end = await hook({ ...SESSION, hook_event_name: name })
    expect([end.exit, JSON.parse(end.output)]).toEqual([0, { suppressOutput: true }])
    expect(door.asked).toEqual([])
  })

  test('no token stands in what is printed, and nothing that moves a cursor', async () => {
    door.answer(() => ({ answer: 'denied', reasons: ['\u001b[2Jgone\u202e'] }))
    const { output } = await hook(CALL)
    expect(output).not.toMatch(/host-token|\\u001b|\\u202e|\u202e/)
    expect(output).toContain('gone')
  })
})

test('an answer that cannot be written is a refusal', async () => {
  const args = ['--project', project, '--host', 'claude', '--mode', 'enforce']
  const broken = {
    stdin: bytes(JSON.stringify(CALL)),
    env: {},
    complain: () => undefined,
    print: () => Promise.reject(new Error('gone')),
  }
  expect(await mainHook(args, broken)).toBe(2)
  const observing = { ...broken, stdin: bytes(JSON.stringify(CALL)) }
  expect(await mainHook([...args.slice(0, 5), 'observe'], observing)).toBe(0)
})
