import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Client as McpClient } from '@modelcontextprotocol/client'
import { afterEach, expect, test } from 'vitest'
import { type HostProject, openHostProject } from '../src/host-project.ts'

// Agents that are not ours, through the real server: the MCP client of the SDK, the sandbox, kills and restarts.

let host: HostProject
afterEach(() => host.close())

async function run(client: McpClient, command: string, more: object = {}) {
  const answer = await client.callTool({ name: 'shell_exec', arguments: { command, ...more } }, { timeout: 30_000 })
  const content = answer.content as readonly { readonly type: string; readonly text?: string }[]
  const text = content.map((block) => block.text ?? '').join('\n')
  return { isError: answer.isError === true, text, output: answer.structuredContent as Record<string, unknown> | undefined }
}

async function questions(): Promise<readonly { readonly id: string; readonly digest: string }[]> {
  const approvals = await host.client().approvals('open')
  return approvals.map(({ id, digest }) => ({ id, digest }))
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 200; tries++) {
    const found = await look()
    if (found !== undefined) return found
    await pause(50)
  }
  throw new Error('it did not come')
}

test('an MCP client sees one tool, runs commands, and what they did can be undone', async () => {
  host = await openHostProject()
  const client = await host.mcp()
  const { tools } = await client.listTools()
  expect(tools.map(({ name }) => name)).toEqual(['shell_exec'])
  expect(JSON.stringify(tools[0]?.inputSchema)).not.toContain('facts') // ours, not the agent's
  expect((await run(client, 'cat README.md')).output).toMatchObject({ exitCode: 0, stdout: 'hello\n' })
  const changed = await run(client, 'echo more >> README.md && mkdir -p a/b && echo 1 > a/b/c')
  expect(changed.output).toMatchObject({ exitCode: 0, changes: 4 })
  const [newest] = await host.client().runs({ limit: 1 })
  expect(newest).toMatchObject({ workflow: 'host-claw', state: 'completed', effects: 1 })
  const undo = await host.client().undo(newest?.run ?? '', 'a mistake')
  expect(await host.client().settled(undo.run, 10_000)).toMatchObject({ state: 'completed' })
  expect(readFileSync(join(host.workspace, 'README.md'), 'utf8')).toBe('hello\n')
  expect(existsSync(join(host.workspace, 'a'))).toBe(false)
}, 60_000)

test('a command that reaches further waits for a person, over a kill of the server, and is done once', async () => {
  host = await openHostProject()
  const { body: asked } = await host.ask(
    'calls',
    call('curl -s http://127.0.0.1:9/; echo x >> once', { by: 'tidegate', waitMs: 1_000 }),
  )
  expect(asked).toMatchObject({ answer: 'pending' })
  await host.server.stop('SIGKILL')
  await host.restart()
  const [question] = await questions()
  await host.client().vote(question?.id ?? '', { vote: 'approve', why: 'seen', digest: question?.digest ?? '' })
  await pause(200)
  expect(existsSync(join(host.workspace, 'once'))).toBe(false) // nobody waits for it
  const again = await host.ask('calls', call('curl -s http://127.0.0.1:9/; echo x >> once', { by: 'tidegate', waitMs: 1_000 }))
  expect(again.body).toMatchObject({ answer: 'ticket', run: asked.run })
  const client = await host.mcp()
  const done = await run(client, 'curl -s http://127.0.0.1:9/; echo x >> once', { _tidegate_ticket: again.body.ticket })
  expect(done.output).toMatchObject({ exitCode: 0 })
  expect(readFileSync(join(host.workspace, 'once'), 'utf8')).toBe('x\n')
}, 60_000)

test('the server is killed in the middle of a command: nothing runs on, and what it did is known', async () => {
  host = await openHostProject()
  const client = await host.mcp()
  const running = run(client, 'echo begun > begun; sleep 30; echo ended > ended').catch(() => undefined)
  await until(async () => (existsSync(join(host.workspace, 'begun')) ? true : undefined))
  await host.server.stop('SIGKILL')
  await running
  await host.restart()
  const head = await until(async () => (await host.client().runs({ limit: 1 })).find(({ state }) => state === 'completed'))
  const story = await host.client().run(head.run)
  expect(JSON.stringify(story)).toContain('added begun')
  await pause(500)
  expect(existsSync(join(host.workspace, 'ended'))).toBe(false)
}, 60_000)

test('where tickets are needed, a call without one is denied and recorded; with one it runs once', async () => {
  host = await openHostProject({ host: '    tickets: required\n' })
  const client = await host.mcp()
  const refused = await run(client, 'cat README.md')
  expect(refused.isError).toBe(true)
  expect(refused.text).toMatch(/ticket/)
  const { body } = await host.ask('calls', call('cat README.md', { by: 'tidegate' }))
  expect(body).toMatchObject({ answer: 'ticket' })
  const other = await run(client, 'cat README.md; true', { _tidegate_ticket: body.ticket })
  expect(other.isError).toBe(true)
  const { body: second } = await host.ask('calls', call('cat README.md', { by: 'tidegate', call: 'c2' }))
  expect((await run(client, 'cat README.md', { _tidegate_ticket: second.ticket })).output).toMatchObject({ stdout: 'hello\n' })
  expect((await run(client, 'cat README.md', { _tidegate_ticket: second.ticket })).isError).toBe(true)
  expect(await host.client().hosts()).toMatchObject([{ withoutTicket: 3 }])
}, 60_000)

test('tokens open what they are for, and nothing else', async () => {
  host = await openHostProject()
  const mei = readFileSync(join(host.project, '.tidegate', 'tokens', 'mei.token'), 'utf8').trim()
  await expect(host.mcp({ token: mei })).rejects.toThrow()
  const claw = readFileSync(join(host.project, '.tidegate', 'tokens', 'host-claw.token'), 'utf8').trim()
  for (const path of ['/v1/runs', '/v1/approvals', '/v1/hosts', '/v1/ledger']) {
    const answer = await fetch(`${host.url}${path}`, { headers: { authorization: `Bearer ${claw}` } })
    expect([path, answer.status]).toEqual([path, 401])
  }
})

test('observed, everything goes on, and the report says what would have been', async () => {
  host = await openHostProject()
  const file = join(host.project, 'tidegate.yaml')
  await host.server.stop()
  writeFileSync(file, readFileSync(file, 'utf8').replace('mode: enforce', 'mode: observe'))
  await host.restart()
  const client = await host.mcp()
  expect((await run(client, 'curl -s http://127.0.0.1:9/; true')).output).toMatchObject({ exitCode: 0 })
  const report = await host.client().observed({})
  expect(report).toMatchObject({ calls: 1, outcomes: { ask: 1 } })
  expect(report.groups.map(({ policy }) => policy)).toContain('balanced.high-asks')
}, 60_000)

function call(command: string, more: object): object {
  return { session: 's1', call: 'c1', tool: 'shell_exec', arguments: { command }, waitMs: 0, ...more }
}
