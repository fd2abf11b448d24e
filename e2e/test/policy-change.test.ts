import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Client, ClientError } from '@tidegate/client'
import type { WirePolicyText } from '@tidegate/protocol'
import { afterEach, expect, test } from 'vitest'
import { type PersonName, setStage, type Stage } from '../src/stage.ts'
import { customerOf, stockTickets } from '../src/stock.ts'
import { ticketOf } from '../src/ticket.ts'

const FILES = ['autonomy', 'money', 'reach', 'risk'] as const
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

/** Small refunds are to be asked about as well. */
const stricter = (text: string): string => `${text}
@id("medium-asks")
@outcome("ask")
@approvers("role:billing-lead")
@reason("medium risk: a billing lead looks at it first")
forbid (principal, action, resource)
when { context.risk == "medium" }
unless { context.compensating || context.approvals.contains("medium-asks") };
`

let tickets: string[] = []
async function setTheStage(configuration = REVIEWED): Promise<void> {
  stage = await setStage({ customers: 20, configuration })
  tickets = [...stockTickets(stage.deskFile, Array.from({ length: 20 }, (_, n) => ticketOf('smallRefund', customerOf(n))))]
  await stage.start()
}

/** One ticket about a small refund, to where it rests; answers the state of its run, and the run. */
async function refund(client: Client): Promise<readonly [string, string]> {
  const ticketId = tickets.pop() ?? ''
  const { run } = await client.trigger({ workflow: 'support-billing', source: 'desk', event: `e-${ticketId}`, input: { ticketId } })
  const head = await client.settled(run, 15_000)
  return [head.state, run]
}

async function approve(person: PersonName, run: string): Promise<string> {
  const client = stage.client(person)
  const head = await client.settled(run, 15_000)
  const approval = await client.approval(head.openApprovals[0] ?? 'none')
  return (await client.vote(approval.id, { vote: 'approve', why: 'Looked at it', digest: approval.digest })).state
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
  expect((await refund(operator))[0]).toBe('completed')

  const plan = await operator.policyPlan({ files: policies({ risk: stricter }) })
  expect(plan.diff.added.map(({ id }) => id)).toEqual(['medium-asks'])
  expect(plan.backtest).toMatchObject({ changed: 1, loosened: 0, complete: true })
  expect(plan.backtest?.groups[0]).toMatchObject({ from: 'allow', to: 'ask', operation: 'desk.refund.small', policies: ['medium-asks'] })

  const change = await operator.policyApply({ files: policies({ risk: stricter }), why: 'small refunds, too' })
  expect(await refusalOf(approve('operator', change.run))).toBe('403 is_requester')
  expect(await approve('mei', change.run)).toBe('open')
  expect(await approve('jonas', change.run)).toBe('granted')
  expect((await operator.settled(change.run, 15_000)).state).toBe('completed')
  expect((await operator.policyVersions()).map(({ version, by, inForce }) => [version, by, inForce])).toEqual([
    [plan.to, 'user:operator', true],
    [plan.from, 'system:start', false],
  ])
  const [state, run] = await refund(operator)
  expect(state).toBe('waiting')
  const explained = await operator.policyExplain(run)
  expect(new Set(explained.decisions.map(({ verdict }) => verdict))).toEqual(new Set(['agrees']))
})
