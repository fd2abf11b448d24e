import { setTimeout as pause } from 'node:timers/promises'
import type { WireRunDetail } from '@tidegate/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compareWithDesk } from '../src/compare.ts'
import { setStage, type Stage } from '../src/stage.ts'
import { customerOf, stockTickets } from '../src/stock.ts'
import { type TicketKind, ticketOf } from '../src/ticket.ts'

/** What the desk does to which call, and what has to become of the run. Every case has a ticket and a customer of its own. */
interface Case {
  readonly what: string
  readonly kind: TicketKind
  /** `T` stands for the ticket, `I` for the invoice. */
  readonly match: string
  readonly mode: string
  readonly times: number
  readonly ends: string
  /** State, failure and what a look found, of the action that met the fault. */
  readonly action: string
}

const CASES: readonly Case[] = [
  {
    what: 'garbage for a read',
    kind: 'thanks',
    match: 'GET /tickets/T',
    mode: 'garbage',
    times: 5,
    ends: 'failed output_validation',
    action: 'failed invalid_output null',
  },
  {
    what: 'HTML for a read',
    kind: 'thanks',
    match: 'GET /tickets/T',
    mode: 'html',
    times: 5,
    ends: 'failed output_validation',
    action: 'failed invalid_output null',
  },
  {
    what: '32 MiB for a read',
    kind: 'thanks',
    match: 'GET /tickets/T',
    mode: 'huge',
    times: 5,
    ends: 'failed output_validation',
    action: 'failed invalid_output null',
  },
  {
    what: 'an error for every read',
    kind: 'thanks',
    match: 'GET /tickets/T',
    mode: 'error-before',
    times: 5,
    ends: 'failed retrieval',
    action: 'failed unavailable null',
  },
  {
    what: 'an error for one read',
    kind: 'thanks',
    match: 'GET /tickets/T',
    mode: 'error-before',
    times: 1,
    ends: 'completed null',
    action: 'done null null',
  },
  {
    what: 'half of an object',
    kind: 'smallRefund',
    match: 'GET /invoices/I',
    mode: 'partial',
    times: 1,
    ends: 'escalated null',
    action: 'done null null',
  },
  {
    what: 'garbage for a write that was done',
    kind: 'address',
    match: 'POST /invoices/I/address',
    mode: 'garbage',
    times: 1,
    ends: 'completed null',
    action: 'done invalid_output happened',
  },
  {
    what: 'HTML for a write that was done',
    kind: 'address',
    match: 'POST /invoices/I/address',
    mode: 'html',
    times: 1,
    ends: 'completed null',
    action: 'done invalid_output happened',
  },
  {
    what: '32 MiB for a write that was done',
    kind: 'address',
    match: 'POST /invoices/I/address',
    mode: 'huge',
    times: 1,
    ends: 'completed null',
    action: 'done invalid_output happened',
  },
  {
    what: 'a cut connection after a write',
    kind: 'address',
    match: 'POST /invoices/I/address',
    mode: 'drop-after',
    times: 1,
    ends: 'completed null',
    action: 'done unavailable happened',
  },
  {
    what: 'an error before a write that may be tried again',
    kind: 'address',
    match: 'POST /invoices/I/address',
    mode: 'error-before',
    times: 1,
    ends: 'completed null',
    action: 'done null null',
  },
  {
    what: 'silence for a write that may be tried again',
    kind: 'address',
    match: 'POST /invoices/I/address',
    mode: 'hang',
    times: 1,
    ends: 'completed null',
    action: 'done null null',
  },
  {
    what: 'an error before every attempt at a write',
    kind: 'credit',
    match: 'POST /credits',
    mode: 'error-before',
    times: 9,
    ends: 'failed connector_timeout',
    action: 'failed unavailable absent',
  },
]

const OPERATIONS: readonly (readonly [path: string, operation: string])[] = [
  ['GET /tickets', 'desk.ticket.read'],
  ['GET /invoices', 'desk.invoice.read'],
  ['POST /invoices', 'desk.invoice.correct-address'],
  ['POST /credits', 'desk.credit.grant'],
  ['POST /refunds', 'desk.refund.small'],
]

let stage: Stage
let runs: readonly WireRunDetail[] = []

beforeAll(async () => {
  stage = await setStage({ customers: 4 * CASES.length })
  const tickets = stockTickets(
    stage.deskFile,
    CASES.map(({ kind }, i) => ticketOf(kind, customerOf(4 * i))),
  )
  await stage.start()
  const operator = stage.client('operator')
  for (const [i, { match, mode, times }] of CASES.entries()) {
    const concrete = match.replace(/T$/, tickets[i] ?? '').replace(/\bI\b/, customerOf(4 * i).invoices[0])
    expect(await stage.desk.call('POST', '/faults', { match: concrete, mode, times })).toMatchObject({ status: 200 })
  }
  const opened = await Promise.all(
    tickets.map((ticketId) =>
      operator.trigger({ workflow: 'support-billing', source: 'desk', event: ticketId, input: { ticketId } }),
    ),
  )
  for (const { run } of opened)
    while (['running', 'undoing'].includes((await operator.settled(run, 30_000)).state)) await pause(50)
  runs = await Promise.all(opened.map(({ run }) => operator.run(run)))
}, 60_000)
afterAll(() => stage.close())

test.each(CASES.map((each, i) => ({ ...each, i })))('$what: $ends', ({ i, match, ends, action }) => {
  const run = runs[i]
  const path = OPERATIONS.find(([start]) => match.startsWith(start))?.[1]
  const met = run?.actions.find(({ operation, purpose }) => operation === path && purpose === 'act')
  expect([`${run?.state} ${run?.failure}`, `${met?.state} ${met?.failure} ${met?.found}`]).toEqual([ends, action])
})

test('nothing is lost and nothing doubled by any of it, and the ledger verifies', async () => {
  const operator = stage.client('operator')
  expect(compareWithDesk(stage.deskFile, runs, await operator.queue(true))).toMatchObject({
    lost: [],
    doubled: [],
    unrecorded: [],
    misstated: [],
    ambiguousOpen: [],
  })
  expect(await operator.ledgerVerify()).toMatchObject({ verified: true })
})
