import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { TOKENS } from '../../gateway/test/people.ts'
import { gatewayOver } from '../../gateway/test/start-gateway.ts'
import { asking, openRun, pinned } from '../../runtime/test/declassify-run.ts'
import { cli } from './cli-run.ts'

// The command line over the real gateway and runtime: endorsing a value, approving a plan.

const ended: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ended.splice(0)) await end()
})

/** The command line as somebody of the project uses it. */
async function projectOf(run: Awaited<ReturnType<typeof openRun>>) {
  const gateway = gatewayOver(run.tidegate)
  const project = mkdtempSync(join(tmpdir(), 'tidegate-cli-'))
  ended.push(
    () => gateway.close(),
    () => rmSync(project, { recursive: true, force: true }),
  )
  const { url } = await gateway.listen()
  mkdirSync(join(project, '.tidegate', 'tokens'), { recursive: true })
  writeFileSync(join(project, 'tidegate.yaml'), 'name: test\n')
  writeFileSync(join(project, '.tidegate', 'server.json'), JSON.stringify({ url, pid: process.pid, version: '0.1.0' }))
  for (const [name, token] of Object.entries(TOKENS))
    writeFileSync(join(project, '.tidegate', 'tokens', `${name}.token`), `${token}\n`, { mode: 0o600 })
  const at = (args: readonly string[]) => cli([...args, '--project', project])
  const json = async (args: readonly string[]) => {
    const { code, stdout } = await at([...args, '--json'])
    return { code, document: JSON.parse(stdout) }
  }
  return { at, json }
}

const STRANGER = 'eve@evil.example'

test('approvals endorse takes a value of an open question, and says what to do when it cannot', async () => {
  const steps = [{ operation: 'desk.mail' }, { operation: 'desk.send', arguments: { to: STRANGER, text: 'hello' } }]
  const run = await openRun({ steps, policy: asking({ target: ({ flow }) => flow.tainted && flow.sinks === 'unknown' }) })
  const { id } = (await run.asked()).approval.question
  const { at, json } = await projectOf(run)
  const endorse = (...more: readonly string[]) => json(['approvals', 'endorse', id, '--why', 'a partner', '--as', 'mei', ...more])
  expect(await endorse()).toMatchObject({ code: 2, document: { code: 'usage_invalid' } })
  expect(await endorse('--pointer', 'to')).toMatchObject({ code: 2, document: { code: 'usage_invalid' } })
  expect(await endorse('--pointer', '/to', '--digest', 'f'.repeat(64))).toMatchObject({ code: 2 })
  expect(await endorse('--pointer', '/text')).toMatchObject({ document: { code: 'not_a_sink' } })
  const said = await at(['approvals', 'endorse', id, '--pointer', '/to', '--why', 'a partner', '--as', 'mei'])
  expect([said.code, said.stdout]).toEqual([0, expect.stringContaining('Endorsed for /to of desk.send, in this run only.')])
  expect((await run.state()).final).toBe('completed')
  expect(await json(['approvals', 'endorsed', run.run])).toMatchObject({
    code: 0,
    document: { endorsements: [{ operation: 'desk.send', pointer: '/to', value: STRANGER, state: 'endorsed' }] },
  })
  expect((await at(['runs', 'show', run.run])).stdout).toContain('user:mei endorsed')
}, 30_000)

test('approvals approve --plan answers for the whole plan, and nothing else does', async () => {
  const args = { to: 'ann@our.example', text: 'one' }
  const grants = [pinned('desk.send', args), pinned('desk.move', args)]
  const steps = [
    { kind: 'grant', grants } as const,
    { operation: 'desk.send', arguments: args },
    { operation: 'desk.move', arguments: args },
  ]
  const changes = { approvals: { plan: 'whole', endorsers: [] } } as const
  const policy = asking({ write: ({ mutability }) => mutability !== 'read' })
  const run = await openRun({ steps, policy, changes })
  const { id } = (await run.asked()).approval.question
  const { at, json } = await projectOf(run)
  const shown = await at(['approvals', 'show', id])
  expect(shown.stdout).toContain('It is one of 2 calls of a plan; --plan says yes to all of them, once each')
  const approved = await json(['approvals', 'approve', id, '--plan', '--why', 'all of it', '--as', 'mei'])
  expect(approved).toMatchObject({ code: 0, document: { state: 'granted', runState: 'completed' } })

  const plain = await openRun({ steps, policy })
  const other = (await plain.asked()).approval.question
  const elsewhere = await projectOf(plain)
  const refused = await elsewhere.json(['approvals', 'approve', other.id, '--plan', '--why', 'all of it', '--as', 'mei'])
  expect(refused).toMatchObject({ code: 2, document: { code: 'usage_invalid' } })
}, 30_000)
