import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { problemSchema } from '@tidegate/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFakeTidegate } from '../../gateway/test/fake-tidegate.ts'
import { TOKENS } from '../../gateway/test/people.ts'
import { gatewayOver } from '../../gateway/test/start-gateway.ts'
import { type CliOptions, cli } from './cli-run.ts'

const tidegate = createFakeTidegate()
const gateway = gatewayOver(tidegate)
const project = mkdtempSync(join(tmpdir(), 'tidegate-cli-'))

beforeAll(async () => {
  const { url } = await gateway.listen()
  const state = join(project, '.tidegate')
  mkdirSync(join(state, 'tokens'), { recursive: true })
  writeFileSync(join(project, 'tidegate.yaml'), 'name: test\nsecrets:\n  here: { env: HERE }\n  gone: { env: GONE }\n')
  writeFileSync(join(state, 'server.json'), JSON.stringify({ url, pid: process.pid, version: '0.1.0' }))
  for (const [name, token] of Object.entries(TOKENS))
    writeFileSync(join(state, 'tokens', `${name}.token`), `${token}\n`, { mode: 0o600 })
})
afterAll(async () => {
  await gateway.close()
  rmSync(project, { recursive: true, force: true })
})

const at = (args: readonly string[], options: CliOptions = {}) => cli([...args, '--project', project], options)

/** Runs with --json and answers the one document; fails if there is more than one, or anything else. */
async function json(args: readonly string[], options: CliOptions = {}) {
  const run = await at([...args, '--json'], options)
  expect(run.stdout.endsWith('\n')).toBe(true)
  return { code: run.code, document: JSON.parse(run.stdout), stderr: run.stderr }
}

let event = 0
async function start(play: string): Promise<string> {
  event += 1
  const { document } = await json([
    'run',
    'support-billing',
    'ticketId=t-1003',
    `play=${play}`,
    '--as',
    'otto',
    '--event',
    `evt-${event}`,
    '--no-wait',
  ])
  return document.run
}

describe('run', () => {
  const cases = [
    ['done', 0, 'completed'],
    ['refund', 5, 'waiting'],
    ['attack', 4, 'failed'],
  ] as const
  test.each(cases)('a run that ends as %s exits with %i', async (play, code, state) => {
    const run = await json(['run', 'support-billing', 'ticketId=t-1003', `play=${play}`, '--as', 'otto'])
    expect([run.code, run.document.detail.state]).toEqual([code, state])
  })

  test('one that goes on longer than one waits exits with 6', async () => {
    expect((await json(['run', 'support-billing', 'play=slow', '--as', 'otto', '--timeout', '0.2'])).code).toBe(6)
  })

  test('the same event opens one run', async () => {
    const again = ['run', 'support-billing', '--input', '{"play":"done"}', '--event', 'same', '--as', 'otto']
    const first = await json(again)
    const second = await json(again)
    expect([second.document.kind, second.document.run]).toEqual(['duplicate', first.document.run])
    expect(second.stderr).toContain('delivered before')
  })

  test('the input comes as pairs, as JSON, from a file or from stdin', async () => {
    writeFileSync(join(project, 'input.json'), '{"play":"done","from":"file"}')
    await json(['run', 'support-billing', '--input-file', join(project, 'input.json'), '--as', 'otto'])
    expect(tidegate.calls.findLast(({ name }) => name === 'trigger')?.with).toMatchObject({
      input: { from: 'file' },
      user: 'user:otto',
    })
    await json(['run', 'support-billing', '--input-file', '-', '--as', 'otto'], { input: '{"play":"done","from":"stdin"}' })
    expect(tidegate.calls.findLast(({ name }) => name === 'trigger')?.with).toMatchObject({ input: { from: 'stdin' } })
  })

  const wrong: readonly (readonly [string, readonly string[]])[] = [
    ['no pair', ['pair']],
    ['no JSON', ['--input', '{']],
    ['no object', ['--input', '[]']],
    ['two inputs', ['a=b', '--input', '{}']],
    ['no such time', ['--timeout', 'long']],
  ]
  test.each(wrong)('%s is a usage error', async (_, args) => {
    const run = await json(['run', 'support-billing', '--as', 'otto', ...args])
    expect([run.code, run.document.code]).toEqual([2, 'usage_invalid'])
  })

  test('a huge input is refused before it is sent', async () => {
    writeFileSync(join(project, 'huge.json'), `{"a":"${'x'.repeat(1_100_000)}"}`)
    const run = await json(['run', 'support-billing', '--input-file', join(project, 'huge.json'), '--as', 'otto'])
    expect([run.code, run.document.code]).toEqual([1, 'file_unreadable'])
    const piped = await json(['run', 'support-billing', '--input-file', '-', '--as', 'otto'], {
      input: `{"a":"${'x'.repeat(1_100_000)}"}`,
    })
    expect([piped.code, piped.document.code]).toEqual([1, 'file_unreadable'])
  })
})

describe('runs', () => {
  test('are listed, told, and found by a part of their id', async () => {
    const run = await start('done')
    const { document } = await json(['runs', 'list', '--limit', '1'])
    expect(document.runs).toMatchObject([{ run, state: 'completed' }])
    const shown = await at(['runs', 'show', run.slice(0, -2)])
    expect(shown.code).toBe(0)
    expect(shown.stdout).toMatch(/Saw +Read a ticket: t-1003/)
    expect(shown.stdout).toMatch(/Touched +Reply to a ticket: t-1003/)
    expect(shown.stdout).toContain(`tidegate undo ${run}`)
  })

  test('a part that fits several is refused, and one that fits none is not found', async () => {
    await start('done')
    await start('done')
    expect(await json(['runs', 'show', 'run-'])).toMatchObject({ code: 2, document: { code: 'id_ambiguous' } })
    expect(await json(['runs', 'show', 'nothing'])).toMatchObject({ code: 3, document: { code: 'not_found' } })
  })

  test('watch ends where the run waits', async () => {
    const watched = await json(['runs', 'watch', await start('refund')])
    expect(watched.code).toBe(5)
    expect(watched.stderr).toContain('Decided')
  })

  test('an unknown state is a usage error', async () => {
    expect((await json(['runs', 'list', '--state', 'sleeping'])).code).toBe(2)
  })
})

describe('approvals', () => {
  test('show what is asked, without what the agent would make the terminal do', async () => {
    const id = `apr-${await start('refund')}`
    const shown = await at(['approvals', 'show', id], { env: { FORCE_COLOR: '1' } })
    expect(shown.stdout).toContain('refundable: 48000 -> 0')
    expect(shown.stdout).toContain('invoiceId: inv-5004')
    expect(shown.stdout).toContain('high risk in production')
    expect(shown.stdout).toMatch(/[0-9a-f]{64}/)
    // Our own colours are there; the sequence, the screen erasure and the reordering that the agent wrote are not.
    expect(shown.stdout).toContain('\u001b[1m')
    for (const theirs of ['\u001b[2J', '\u001b[31m twice', '\u202e']) expect(shown.stdout).not.toContain(theirs)
    const plain = await at(['approvals', 'show', id])
    expect(plain.stdout).not.toContain('\u001b')
    const { document } = await json(['approvals', 'show', id])
    expect(document.justification).toContain('\u202e')
    const { stdout } = await at(['approvals', 'show', id, '--json'])
    for (const raw of ['\u001b', '\u202e']) expect(stdout).not.toContain(raw)
  })

  test('a high risk needs --yes where nobody can be asked, and --digest insists', async () => {
    const id = `apr-${await start('refund')}`
    expect(await json(['approvals', 'approve', id, '--as', 'mei'])).toMatchObject({
      code: 2,
      document: { code: 'confirmation_needed' },
    })
    expect(await json(['approvals', 'approve', id, '--as', 'mei', '--yes', '--digest', 'f'.repeat(64)])).toMatchObject({
      code: 2,
    })
    const yes = await json(['approvals', 'approve', id, '--as', 'mei', '--yes', '--why', 'checked'])
    expect(yes).toMatchObject({ code: 0, document: { state: 'granted', runState: 'completed' } })
    expect(tidegate.calls.findLast(({ name }) => name === 'vote')?.with).toMatchObject({
      why: 'checked',
      person: { id: 'user:mei' },
    })
    expect(await json(['approvals', 'refuse', id, '--as', 'mei'])).toMatchObject({
      code: 1,
      document: { code: 'approval_closed' },
    })
  })

  test('whoever asks may not, and whoever does not say who they are may not either', async () => {
    const id = `apr-${await start('refund')}`
    expect(await json(['approvals', 'approve', id, '--as', 'otto', '--yes'])).toMatchObject({
      code: 4,
      document: { code: 'is_requester' },
    })
    expect(await json(['approvals', 'approve', id, '--yes'])).toMatchObject({ code: 2, document: { code: 'usage_invalid' } })
    expect(await json(['approvals', 'approve', id, '--as', 'nobody', '--yes'])).toMatchObject({
      code: 3,
      document: { code: 'token_not_found' },
    })
    expect(await json(['approvals', 'refuse', id, '--as', 'user:mei', '--why', 'no'])).toMatchObject({
      code: 0,
      document: { state: 'refused' },
    })
  })
})

describe('calibration', () => {
  test('shows what became of what runs were sure of', async () => {
    expect(await json(['calibration'])).toMatchObject({
      code: 0,
      document: { runs: 1, kinds: [{ kind: 'classification', count: 1, accuracy: 1 }, {}, {}] },
    })
    expect((await at(['calibration', '--workflow', 'support-billing'])).stdout).toContain('95.0 %')
  })
})

describe('limits', () => {
  test('lists what is counted, with its limits and how full they are', async () => {
    const { code, document } = await json(['limits'])
    expect([code, document.meters.map(({ name }: { name: string }) => name)]).toEqual([
      0,
      ['refunds-per-customer', 'look-before-refund', 'model-cost'],
    ])
    const { stdout } = await at(['limits'])
    const lines = stdout.split('\n').map((line) => line.split(/ {2,}/).map((cell) => cell.trim()))
    expect(lines.slice(0, 4)).toEqual([
      ['NAME', 'LARGEST', 'FULL', 'RESERVED', 'PER', 'WITHIN', 'LIMIT'],
      [
        ...['refunds-per-customer', '4000', '80 %', '1500', '/customerId', 'the last 90 min'],
        'above 2000 ask 2 x billing-lead; above 5000 deny everything',
      ],
      ['look-before-refund', 'in each run', '-', '-', 'agent', 'one run', 'below 2 deny desk.refund.create'],
      ['model-cost', '1.25', '<1 %', '-', 'user', 'this month', 'above 250 deny'],
    ])
  })

  test('shows one with its largest counts, and nothing in them moves the terminal', async () => {
    expect((await json(['limits', 'model-cost'])).document).toMatchObject({ name: 'model-cost', keys: 1 })
    const counted = await at(['limits', 'refunds-per-customer'])
    expect(counted.stdout).toContain('the sum of /amountMinor over actions that change the world: desk.refund.create')
    expect(counted.stdout).toContain('value of /customerId, shown as a keyed hash')
    expect(counted.stdout).toMatch(/00ff00ff00ff00ff +4000 +80 % +1500\n11ee11ee11ee11ee +500 +25 % +-/)
    expect(counted.stdout).toContain('And 20 with smaller values.')
    expect((await at(['limits', 'look-before-refund'])).stdout).toContain('it has no value here')
    expect((await at(['limits', 'model-cost'])).stdout).toMatch(/^user:ann +1.25 +<1 %/m)
    expect((await at(['limits', 'none'])).code).toBe(3)
  })

  test('says where to write them when there are none', async () => {
    const views = tidegate.limits
    tidegate.limits = () => []
    try {
      expect((await json(['limits'])).document).toEqual({ meters: [] })
      expect((await at(['limits'])).stdout).toContain('limits: [limits/*.yaml]')
    } finally {
      tidegate.limits = views
    }
  })
})

describe('stop, lift, undo, queue', () => {
  test('a stop says what still runs and how long it took', async () => {
    await start('slow')
    const stopped = await at(['stop', '--scope', 'workflow:support-billing', '--why', 'drill', '--as', 'otto'])
    expect(stopped.code).toBe(0)
    expect(stopped.stdout).toContain('in force after 3.25 ms')
    expect(stopped.stdout).toContain('had already started')
    const { document } = await json(['stops'])
    expect(document.stops).toHaveLength(1)
    expect(await json(['lift', document.stops[0].id, '--why', 'over', '--as', 'otto'])).toMatchObject({ code: 0 })
    expect(await json(['lift', '--scope', 'global', '--why', 'over', '--as', 'otto'])).toMatchObject({ code: 3 })
    expect(await json(['lift', '--why', 'over', '--as', 'otto'])).toMatchObject({ code: 2 })
  })

  test('only operators stop, and only with a mode that there is', async () => {
    expect(await json(['stop', '--scope', 'global', '--why', 'x', '--as', 'mei'])).toMatchObject({ code: 4 })
    expect(await json(['stop', '--scope', 'global', '--why', 'x', '--as', 'otto', '--mode', 'soft'])).toMatchObject({ code: 2 })
    expect(await json(['stop', '--scope', 'all', '--why', 'x', '--as', 'otto'])).toMatchObject({
      code: 2,
      document: { code: 'invalid_request' },
    })
    expect(await json(['stop', '--scope', 'global', '--as', 'otto'])).toMatchObject({
      code: 2,
      document: { code: 'usage_invalid' },
    })
  })

  test('undo waits for the run that takes things back', async () => {
    const run = await start('done')
    expect(await json(['undo', run, '--why', 'mistake', '--as', 'otto'])).toMatchObject({
      code: 0,
      document: { undoes: run, effects: 1, state: 'completed' },
    })
    expect(await json(['undo', run, '--why', 'mistake', '--as', 'otto'])).toMatchObject({
      code: 1,
      document: { code: 'already_undone' },
    })
  })

  test('what is left for people is listed and settled', async () => {
    const run = await start('attack')
    expect((await at(['queue'])).stdout).toContain(`q-${run}`)
    expect(await json(['queue', 'resolve', `q-${run}`, '--why', 'seen', '--as', 'otto'])).toMatchObject({
      code: 0,
      document: { resolved: true },
    })
    expect(await json(['queue', 'resolve', `q-${run}`, '--why', 'seen', '--as', 'otto'])).toMatchObject({
      code: 1,
      document: { code: 'already_resolved' },
    })
  })
})

test('the ledger is shown, verified, exported and proved', async () => {
  expect((await json(['ledger', 'head'])).document).toMatchObject({ size: 42 })
  expect(await json(['ledger', 'verify'])).toMatchObject({ code: 0, document: { verified: true } })
  expect((await json(['ledger', 'export', 'out', '--as', 'otto'], { cwd: project })).document).toMatchObject({
    size: 42,
    directory: join(project, 'out'),
  })
  expect((await json(['ledger', 'receipt', '--index', '3'])).document).toMatchObject({ index: 3 })
  expect(await json(['ledger', 'receipt', '--index', '42'])).toMatchObject({ code: 3 })
  expect(await json(['ledger', 'receipt'])).toMatchObject({ code: 2 })
  const file = join(project, 'receipt.txt')
  expect(await json(['ledger', 'receipt', '--index', '3', '--out', file])).toMatchObject({ code: 0, document: { file } })
  expect(await json(['ledger', 'receipt', '--index', '3', '--out', file])).toMatchObject({ code: 1 })
})

test('what is declared is listed and shown', async () => {
  expect((await at(['tools', 'list'])).stdout).toContain('desk.refund.create')
  expect((await at(['tools', 'show', 'desk.refund.create'])).stdout).toContain('Refund an invoice')
  expect((await at(['workflows', 'list'])).stdout).toContain('support-billing')
  expect((await at(['workflows', 'show', 'support-billing'])).stdout).toContain('Succeeds when')
  expect(await json(['tools', 'show', 'none'])).toMatchObject({ code: 3 })
  expect(await json(['workflows', 'show', 'none'])).toMatchObject({ code: 3 })
})

test('doctor says what is wrong and how to cure it, and never a secret', async () => {
  const { code, document } = await json(['doctor', '--as', 'otto'], { env: { HERE: 'hunter2-the-secret' } })
  const states = Object.fromEntries(document.checks.map(({ name, state }: { name: string; state: string }) => [name, state]))
  // The runs of the fake are in the past, and its journal is not ahead of the clock.
  expect(states).toMatchObject({
    node: 'ok',
    'tidegate.yaml': 'ok',
    'secret here': 'ok',
    'secret gone': 'wrong',
    store: 'ok',
    tokens: 'ok',
    server: 'ok',
    token: 'ok',
    version: 'ok',
    ledger: 'ok',
    clock: 'ok',
  })
  expect(document.checks.filter(({ state, cure }: { state: string; cure: string }) => state !== 'ok' && cure === '')).toEqual([])
  expect([code, document.healthy]).toEqual([1, false])
  expect(JSON.stringify(document)).not.toContain('hunter2')
})

describe('when there is no answer', () => {
  test('a server that is not there, and one that is none', async () => {
    const token = join(project, '.tidegate', 'tokens', 'otto.token')
    const gone = await json(['runs', 'list', '--server', 'http://127.0.0.1:1', '--token-file', token])
    expect(gone).toMatchObject({ code: 1, document: { code: 'unreachable' } })
    problemSchema.omit({ status: true }).parse(gone.document)
    expect(await json(['runs', 'list', '--server', 'ftp://x', '--token-file', token])).toMatchObject({
      code: 1,
      document: { code: 'request_invalid' },
    })
  })

  test('a token of somebody else is denied', async () => {
    writeFileSync(join(project, 'other.token'), 'x'.repeat(40))
    expect(await json(['runs', 'list', '--token-file', join(project, 'other.token')])).toMatchObject({
      code: 4,
      document: { code: 'unauthorized' },
    })
  })

  test('no server runs', async () => {
    const other = mkdtempSync(join(tmpdir(), 'tidegate-none-'))
    writeFileSync(join(other, 'tidegate.yaml'), 'name: none\n')
    const run = await cli(['runs', 'list', '--json', '--project', other])
    expect([run.code, JSON.parse(run.stdout).code]).toEqual([1, 'server_not_running'])
    rmSync(other, { recursive: true })
  })

  test('Ctrl-C while it waits exits with 130', async () => {
    const interruptAt = { stream: 'stderr', text: 'is under way' } as const
    const run = await at(['run', 'support-billing', 'play=slow', '--as', 'otto', '--json'], { interruptAt })
    expect(run.code).toBe(130)
    expect(JSON.parse(run.stdout).code).toBe('interrupted')
  })

  test('what takes longer than two seconds says so on stderr, unless it shall be quiet', async () => {
    const args = ['run', 'support-billing', 'play=slow', '--as', 'otto', '--timeout', '2.4']
    const [loud, quiet] = await Promise.all([at(args), at([...args, '--quiet'])])
    expect(loud.stderr).toMatch(/under way \.\.\. 2 s/)
    expect([loud.code, quiet.code, quiet.stderr]).toEqual([6, 6, ''])
  })
})
