import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFakeChangeDesk, OLD_VERSION } from '../../gateway/test/fake-change-desk.ts'
import { createFakeTidegate } from '../../gateway/test/fake-tidegate.ts'
import { TOKENS } from '../../gateway/test/people.ts'
import { gatewayOver } from '../../gateway/test/start-gateway.ts'
import { rangeOf } from '../src/command/policy-change.ts'
import { cli } from './cli-run.ts'

const tidegate = createFakeTidegate()
const desk = createFakeChangeDesk()
const gateway = gatewayOver({ ...tidegate, changes: desk })
const project = mkdtempSync(join(tmpdir(), 'tidegate-cli-'))

beforeAll(async () => {
  const { url } = await gateway.listen()
  const state = join(project, '.tidegate')
  mkdirSync(join(state, 'tokens'), { recursive: true })
  writeFileSync(join(project, 'tidegate.yaml'), 'name: test\n')
  writeFileSync(join(state, 'server.json'), JSON.stringify({ url, pid: process.pid, version: '0.1.0' }))
  for (const [name, token] of Object.entries(TOKENS))
    writeFileSync(join(state, 'tokens', `${name}.token`), `${token}\n`, { mode: 0o600 })
  const trigger = { workflow: 'support-billing', source: 's', user: 'user:otto', client: 'client:x' }
  await tidegate.trigger({ ...trigger, event: 'e-1', input: { play: 'refund' } })
})
afterAll(async () => {
  await gateway.close()
  rmSync(project, { recursive: true, force: true })
})

const at = (...args: readonly string[]) => cli([...args, '--project', project])
const RUN = 'run-0001-a'

test('versions are listed and shown, without what a terminal would obey', async () => {
  const list = await at('policy', 'versions')
  expect(list.stdout).toMatch(/ab12ab12ab12 +in force .* user:otto +user:mei +no more/)
  expect(list.stdout).not.toContain('\u001b[31m')
  const shown = await at('policy', 'show', OLD_VERSION.slice(0, 8))
  expect(shown.stdout).toContain('forbid (principal, action == Action::"desk.set", resource);')
  expect((await at('policy', 'show', 'ffffff')).code).toBe(3)
})

describe('explain', () => {
  test('shows the policies as people wrote them', async () => {
    const told = await at('policy', 'explain', RUN, '0')
    expect([told.code, told.stdout]).toEqual([
      0,
      expect.stringMatching(/Action 0 +desk\.set +deny.*comes out the same.*policies\/desk\.cedar:4/s),
    ])
  })

  test('is loud, and fails, when a decision does not come out as it was recorded', async () => {
    const told = await at('policy', 'explain', RUN)
    expect([told.code, told.stdout]).toEqual([1, expect.stringMatching(/DOES NOT COME OUT AS IT WAS RECORDED.*now: allow/s)])
  })

  test('takes no word for a number', async () => {
    expect((await at('policy', 'explain', RUN, 'first')).code).toBe(2)
  })
})

test('going back proposes, and says what came of it', async () => {
  expect((await at('policy', 'rollback', 'ffffff', '--why', 'w', '--as', 'otto')).code).toBe(3)
  expect((await at('policy', 'rollback', '--as', 'otto')).code).toBe(2)
  expect(desk.calls.filter(({ name }) => name === 'rollback')).toHaveLength(1)
})

test('changed operations are reviewed', async () => {
  const { stdout } = await at('tools', 'review')
  expect(stdout).toMatch(/desk\.set +denied until somebody accepts the change.*~ title: Set -> Set all/s)
  const accepted = await at('tools', 'accept', 'desk.read', '--why', 'w', '--as', 'otto', '--json')
  expect(JSON.parse(accepted.stdout)).toMatchObject({ code: 'nothing_to_change' })
})

describe('how far back to look', () => {
  const NOW = 1_000_000_000
  test.each([
    [{ last: '5', backtest: true }, { last: 5 }],
    [
      { last: '5', since: '2h', backtest: true },
      { last: 5, sinceMs: NOW - 7_200_000 },
    ],
    [
      { last: '5', since: '1970-01-02', backtest: true },
      { last: 5, sinceMs: 86_400_000 },
    ],
    [{ last: '5', backtest: false }, null],
  ])('%j', (flags, range) => expect(rangeOf(flags, NOW)).toEqual(range))

  test.each([{ last: '0' }, { last: 'all' }, { last: '5', since: 'yesterday' }, { last: '5', since: '9w' }])(
    'not %j',
    (flags) => {
      expect(() => rangeOf({ backtest: true, ...flags }, NOW)).toThrow(expect.objectContaining({ code: 'usage_invalid' }))
    },
  )
})
