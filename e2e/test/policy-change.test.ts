import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Client, ClientError } from '@tidegate/client'
import type { WirePolicyText } from '@tidegate/protocol'
import { afterEach, expect, test } from 'vitest'
import { type Ended, startProgram } from '../src/program.ts'
import type { ServerProcess } from '../src/server-process.ts'
import { type PersonName, setStage, type Stage } from '../src/stage.ts'
import { customerOf, stockTickets } from '../src/stock.ts'
import { ticketOf } from '../src/ticket.ts'

const FILES = ['autonomy', 'money', 'reach', 'risk'] as const
const CLI = fileURLToPath(new URL('../../packages/cli/bin/tidegate.js', import.meta.url))
const REVIEWED = 'changes: { reviewers: ["role:privacy"] }\n'

let stage: Stage
afterEach(() => stage.close())

/** The policies of the stage as they are on disk, one of them changed. */
function policies(change: Partial<Record<(typeof FILES)[number], (text: string) => string>> = {}): readonly WirePolicyText[] {
  return FILES.map((name) => {
    const file = `policies/${name}.cedar`
    const text = readFileSync(join(stage.project, file), 'utf8')
    return { file, text: change[name]?.(text) ?? text }
  })
}

const GUIDE = readFileSync(new URL('../../docs/guide/changing-policy.md', import.meta.url), 'utf8')

/** What stands in the guide between two fences. */
function blockOf(language: string): string {
  return new RegExp(`^\x60{3}${language}\\n(.*?)^\x60{3}$`, 'ms').exec(GUIDE)?.[1] ?? ''
}

/** Small refunds are to be asked about as well: the policy of the guide. */
const stricter = (text: string): string => `${text}\n${blockOf('cedar')}`

/** A text of the guide as a pattern: numbers, versions, runs and durations differ from one time to the next. */
function patternOf(text: string): RegExp {
  const literal = text.trimEnd().replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const anyNumbers = literal.replace(/\b[0-9A-Z]{26}\b|\b[0-9a-f]{12}\b|\b\d+\b/g, '[0-9A-Za-z]+')
  return new RegExp(anyNumbers.replaceAll('[0-9A-Za-z]+ ms', '[0-9.]+ m?s'))
}

let tickets: string[] = []
async function setTheStage(configuration = REVIEWED): Promise<void> {
  stage = await setStage({ customers: 20, configuration })
  const reachable = Array.from({ length: 20 }, (_, n) => customerOf(n)).filter(({ bounces }) => !bounces)
  const refunds = reachable.map((customer) => ticketOf('smallRefund', customer))
  tickets = [...stockTickets(stage.deskFile, refunds)]
  running = await stage.start()
}

/** One ticket about a small refund, to where it rests; answers the state of its run, and the run. */
async function refund(client: Client): Promise<readonly [string, string]> {
  const ticketId = tickets.pop() ?? ''
  const { run } = await client.trigger({
    workflow: 'support-billing',
    source: 'desk',
    event: `e-${ticketId}`,
    input: { ticketId },
  })
  const head = await client.settled(run, 15_000)
  return [head.state, run]
}

async function vote(person: PersonName, run: string): Promise<string> {
  const client = stage.client(person)
  const head = await client.settled(run, 15_000)
  const approval = await client.approval(head.openApprovals[0] ?? 'none')
  return (await client.vote(approval.id, { vote: 'approve', why: 'Looked at it', digest: approval.digest })).state
}

let running: ServerProcess
/** Ends the server, and starts it again on what it left behind. */
async function restart(signal: NodeJS.Signals): Promise<ServerProcess> {
  await running.stop(signal)
  running = await stage.start()
  return running
}

/** The command line, for the project of the stage. */
async function cli(...args: readonly string[]): Promise<Ended & { readonly stdout: string }> {
  const program = startProgram([process.execPath, CLI, ...args, '--project', stage.project])
  return { ...(await program.ended), stdout: program.stdout() }
}

async function refusalOf(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return 'answered'
  } catch (error) {
    if (error instanceof ClientError && error.problem !== undefined) return `${error.problem.status} ${error.problem.code}`
    throw error
  }
}

test('a change of policy is planned against the past, approved by somebody else, in force at once, and taken back', async () => {
  await setTheStage()
  const operator = stage.client('operator')
  const [state, before] = await refund(operator)
  expect(state).toBe('completed')

  const plan = await operator.policyPlan({ files: policies({ risk: stricter }) })
  expect(plan.diff.added.map(({ id }) => id)).toEqual(['medium-asks'])
  expect(plan.backtest).toMatchObject({ changed: 1, loosened: 0, complete: true })
  const [group] = plan.backtest?.groups ?? []
  expect(group).toMatchObject({ from: 'allow', to: 'ask', operation: 'desk.refund.small', policies: ['medium-asks'] })
  expect(group?.examples.map(({ run }) => run)).toEqual([before])

  const change = await operator.policyApply({ files: policies({ risk: stricter }), why: 'small refunds, too' })
  expect(await refusalOf(vote('operator', change.run))).toBe('403 is_requester')
  // The project's own policies are asked as well: a change is of high risk, and reaches far.
  expect(await vote('mei', change.run)).toBe('open')
  expect(await vote('jonas', change.run)).toBe('granted')
  expect((await operator.settled(change.run, 15_000)).state).toBe('completed')
  expect(
    (await operator.policyVersions()).map(({ version, by, inForce, reviewers }) => [version, by, inForce, reviewers]),
  ).toEqual([
    [plan.to, 'user:operator', true, ['user:mei', 'user:jonas']],
    [plan.from, 'system:start', false, []],
  ])
  const [asked, after] = await refund(operator)
  expect(asked).toBe('waiting')

  const back = await operator.policyRollback({ why: 'too many questions' })
  expect(await vote('jonas', back.run)).toBe('granted') // the project exempts what takes something back; Tidegate does not
  expect((await operator.settled(back.run, 15_000)).state).toBe('completed')
  expect((await operator.policyVersion()).version).toBe(plan.from)
  expect((await operator.run(change.run)).undoneBy).toBe(back.run)
  expect((await refund(operator))[0]).toBe('completed')

  await (await restart('SIGTERM')).ready()
  for (const run of [before, after, change.run]) {
    const { decisions } = await stage.client('operator').policyExplain(run)
    expect(decisions.map(({ verdict }) => verdict).filter((verdict) => verdict !== 'agrees')).toEqual([])
  }
  expect((await stage.client('operator').ledgerVerify()).problems).toEqual([])
}, 60_000)

test('garbage is refused with its places, and what is on disk is not in force until it is applied', async () => {
  await setTheStage()
  const operator = stage.client('operator')
  const { version } = await operator.policyVersion()
  const garbage = policies({ risk: (text) => text.replace('context.risk == "critical"', 'context.risk == "grave"') })
  const refusal = await operator.policyApply({ files: garbage, why: 'oops' }).catch((error: unknown) => error)
  if (!(refusal instanceof ClientError)) throw new Error('Garbage was taken.')
  expect(refusal.problem).toMatchObject({ status: 422, code: 'policy_refused' })
  expect(refusal.problem?.issues?.[0]?.path).toMatch(/^policies\/risk\.cedar:\d+:\d+$/)
  expect((await operator.policyVersion()).version).toBe(version)

  const file = join(stage.project, 'policies', 'risk.cedar')
  writeFileSync(file, stricter(readFileSync(file, 'utf8')))
  const server = await restart('SIGTERM')
  await server.ready()
  expect(server.stderr()).toMatch(/not what is in force.*tidegate policy plan.*tidegate policy apply/)
  expect((await stage.client('operator').policyVersion()).version).toBe(version)
  for (let i = 0; i < 2; i++) expect((await refund(stage.client('operator')))[0]).toBe('completed')

  expect((await cli('policy', 'plan')).stdout).toMatch(patternOf(blockOf('text')))
  const planned = await cli('policy', 'plan', '--json')
  expect(JSON.parse(planned.stdout)).toMatchObject({ from: version, diff: { added: [{ id: 'medium-asks' }] } })
  const applied = await cli('policy', 'apply', '--why', 'as it is on disk', '--as', 'operator')
  expect([applied.code, applied.stdout]).toEqual([
    5,
    expect.stringMatching(/waits for billing-lead and privacy.*\n.*approvals show/),
  ])
  const waiting = cli('policy', 'apply', '--why', 'and now', '--wait', '--timeout', '40', '--as', 'operator')
  const asked = async () => (await stage.client('mei').approvals('open')).find(({ justification }) => justification === 'and now')
  await expect.poll(asked, { timeout: 20_000 }).toBeDefined()
  const { run = '' } = (await asked()) ?? {}
  for (const person of ['mei', 'jonas'] as const) await vote(person, run)
  const done = await waiting
  expect([done.code, done.stdout]).toEqual([0, expect.stringMatching(/^In force: [0-9a-f]{12}/)])
  expect((await cli('policy', 'versions')).stdout).toMatch(new RegExp(`in force.*and now\\s*\\n${version.slice(0, 12)}`))
}, 60_000)

test('a server that is killed in the middle of a change comes back with the one or the other, whole', async () => {
  await setTheStage()
  const first = (await stage.client('operator').policyVersion()).version
  for (const afterMs of [0, 4, 12]) {
    const operator = stage.client('operator')
    const from = (await operator.policyVersion()).version
    const change =
      from === first
        ? await operator.policyApply({ files: policies({ risk: stricter }), backtest: null, why: 'on' })
        : await operator.policyRollback({ version: first, why: 'off' })
    await vote('mei', change.run)
    await vote('jonas', change.run)
    await pause(afterMs)
    await (await restart('SIGKILL')).ready()
    const again = stage.client('operator')
    expect((await again.settled(change.run, 15_000)).state).toBe('completed')
    const versions = await again.policyVersions()
    expect(versions.filter(({ run }) => run === change.run)).toHaveLength(1)
    expect(versions.filter(({ inForce }) => inForce).map(({ version }) => version)).toEqual([change.version])
  }
  expect((await stage.client('operator').ledgerVerify()).problems).toEqual([])
}, 60_000)

test('without reviewers the files on disk are in force after a start, and who changed what is in the ledger', async () => {
  await setTheStage('')
  const file = join(stage.project, 'policies', 'risk.cedar')
  writeFileSync(file, stricter(readFileSync(file, 'utf8')))
  await (await restart('SIGTERM')).ready()
  const operator = stage.client('operator')
  expect((await operator.policyVersions()).map(({ cause }) => cause)).toEqual(['start', 'first_start'])
  expect((await refund(operator))[0]).toBe('waiting')
}, 60_000)
