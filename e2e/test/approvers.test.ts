import { type Client, ClientError } from '@tidegate/client'
import type { WireApproval } from '@tidegate/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compareWithDesk } from '../src/compare.ts'
import { type PersonName, setStage, type Stage } from '../src/stage.ts'
import { customerOf, stockTickets } from '../src/stock.ts'
import { ticketOf } from '../src/ticket.ts'

const ROUNDS = 50

/** What became of a vote: the state it left, or why it did not count. */
async function voteAs(client: Client, { id, digest }: WireApproval, vote: 'approve' | 'refuse' = 'approve'): Promise<string> {
  try {
    return (await client.vote(id, { vote, why: 'Looked at it', digest })).state
  } catch (error) {
    if (error instanceof ClientError && error.problem !== undefined) return `${error.problem.status} ${error.problem.code}`
    throw error
  }
}

/** Opens a run for a large refund and waits until it asks people. */
async function askFor(client: Client, ticketId: string): Promise<WireApproval> {
  const { run } = await client.trigger({
    workflow: 'support-billing',
    source: 'desk',
    event: `e-${ticketId}`,
    input: { ticketId },
  })
  const { openApprovals } = await client.settled(run, 15_000)
  return client.approval(openApprovals[0] ?? 'none')
}

describe.each([
  { quorum: 1, policy: (text: string) => text },
  {
    quorum: 2,
    policy: (text: string) => text.replaceAll('@approvers("role:billing-lead")', '@approvers("role:billing-lead x2")'),
  },
])('$quorum of three billing leads who vote at the same moment', ({ quorum, policy }) => {
  let stage: Stage
  const voters: readonly PersonName[] = ['mei', 'jonas', 'ada']
  let tickets: readonly string[] = []

  beforeAll(async () => {
    stage = await setStage({ customers: ROUNDS + 2, policy })
    tickets = stockTickets(
      stage.deskFile,
      Array.from({ length: ROUNDS + 2 }, (_, n) => ticketOf('largeRefund', { ...customerOf(n) })),
    )
    await stage.start()
  })
  afterAll(() => stage.close())

  test(`${ROUNDS} rounds: exactly the quorum counts, and the refund is made once`, async () => {
    const operator = stage.client('operator')
    const clients = voters.map((name) => stage.client(name))
    const round = async (ticketId: string): Promise<void> => {
      const question = await askFor(operator, ticketId)
      const votes = (await Promise.all(clients.map((client) => voteAs(client, question)))).toSorted()
      const counted = [...Array.from({ length: quorum - 1 }, () => 'open'), 'granted']
      const rejected = Array.from({ length: voters.length - quorum }, () => '409 approval_closed')
      expect(votes).toEqual([...rejected, ...counted].toSorted())
      await operator.settled(question.run, 15_000)
    }
    const due = tickets.slice(0, ROUNDS)
    while (due.length > 0) await Promise.all(due.splice(0, 10).map(round))
    const runs = await Promise.all((await operator.runs({ limit: 500 })).map(({ run }) => operator.run(run)))
    const refunds = runs.flatMap(({ actions }) => actions.filter(({ operation }) => operation === 'desk.refund.create'))
    expect(refunds.map(({ attempts, state }) => [attempts, state !== 'failed'])).toEqual(
      Array.from({ length: ROUNDS }, () => [1, true]),
    )
    expect(compareWithDesk(stage.deskFile, runs, [])).toMatchObject({
      lost: [],
      doubled: [],
      unrecorded: [],
      misstated: [],
      ambiguousOpen: [],
    })
  }, 40_000)

  test('who asked may not answer, who is not entitled may not either, and one person is not two', async () => {
    const mei = stage.client('mei')
    const question = await askFor(mei, tickets[ROUNDS] ?? '')
    expect(await voteAs(mei, question)).toBe('403 is_requester')
    expect(await voteAs(mei, question, 'refuse')).toBe('403 is_requester')
    expect(await voteAs(stage.client('operator'), question)).toBe('403 not_entitled')
    expect(await voteAs(stage.client('jonas'), { ...question, digest: question.digest.replace(/./g, 'a') })).toBe(
      '409 digest_mismatch',
    )
    const jonas = [await voteAs(stage.client('jonas'), question), await voteAs(stage.client('jonas'), question)]
    expect(jonas).toEqual(quorum === 1 ? ['granted', '409 approval_closed'] : ['open', '409 already_voted'])
  })
})
