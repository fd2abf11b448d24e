import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from '@tidegate/client'
import type { WireStopReport } from '@tidegate/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compareWithDesk } from '../src/compare.ts'
import { setStage, type Stage } from '../src/stage.ts'
import { customerOf, stockTickets } from '../src/stock.ts'
import { type TicketKind, ticketOf } from '../src/ticket.ts'

const STOPS = 20
const IN_FLIGHT = 64
const TICKETS = 700
const KINDS: readonly TicketKind[] = ['address', 'smallRefund', 'credit']

let stage: Stage
let operator: Client
let tickets: readonly string[] = []
let used = 0

beforeAll(async () => {
  stage = await setStage({ customers: TICKETS })
  tickets = stockTickets(
    stage.deskFile,
    Array.from({ length: TICKETS }, (_, n) => ticketOf(KINDS[n % KINDS.length] ?? 'address', customerOf(n))),
  )
  await stage.start()
  operator = stage.client('operator')
})

afterAll(() => stage.close())

/** Opens runs until so many are under way; they go on while we ask. */
async function fill(): Promise<number> {
  for (;;) {
    const { length } = await operator.runs({ state: ['running', 'undoing'], limit: 500 })
    if (length >= IN_FLIGHT) return length
    const next = tickets.slice(used, used + IN_FLIGHT)
    used += next.length
    if (next.length === 0) throw new Error('There are not enough tickets for this test.')
    await Promise.all(
      next.map((ticketId) =>
        operator.trigger({ workflow: 'support-billing', source: 'desk', event: `e-${ticketId}`, input: { ticketId } }),
      ),
    )
  }
}

/** Calls that reached the desk after a moment and that the stop did not report as running. */
function lateCalls(sinceMs: number, { running }: WireStopReport): readonly string[] {
  const db = new DatabaseSync(stage.deskFile, { readOnly: true })
  try {
    const rows = db
      .prepare('SELECT reference FROM calls WHERE at > ? AND reference IS NOT NULL')
      .all(new Date(sinceMs).toISOString())
    const reported = new Map<string, number>()
    for (const { run } of running) reported.set(run, (reported.get(run) ?? 0) + 1)
    return rows.flatMap(({ reference }) => {
      const run = String(reference).split('.')[0] ?? ''
      const left = reported.get(run) ?? 0
      reported.set(run, left - 1)
      return left > 0 ? [] : [String(reference)]
    })
  } finally {
    db.close()
  }
}

test(`${STOPS} stops with at least ${IN_FLIGHT} runs in flight: nothing starts after the acknowledgement`, async () => {
  const waits: number[] = []
  let late = 0
  let reported = 0
  for (let i = 0; i < STOPS; i++) {
    await fill()
    const scope = i % 2 === 0 ? 'global' : 'tool:desk'
    const askedAtMs = performance.now()
    const report = await operator.stop({ scope, why: 'A drill' })
    waits.push(performance.now() - askedAtMs)
    const acknowledgedAtMs = Date.now()
    await pause(200)
    late += lateCalls(acknowledgedAtMs, report).length
    reported += report.running.length
    await operator.lift({ stop: report.stop.id, why: 'The drill is over' })
  }
  await finished()
  const sorted = waits.toSorted((a, b) => a - b)
  process.stderr.write(
    `stops ${STOPS}: acknowledgedMs p50 ${sorted[STOPS / 2]?.toFixed(1)} max ${sorted.at(-1)?.toFixed(1)}, reported as running ${reported}, effects after ${late}\n`,
  )
  expect(late).toBe(0)
  expect(reported).toBeGreaterThan(0)
}, 60_000)

/** After the last lift everything comes to its end, and the desk agrees with the ledger. */
async function finished(): Promise<void> {
  const mei = stage.client('mei')
  const deadline = Date.now() + 20_000
  while (Date.now() < deadline && (await operator.runs({ state: ['running', 'undoing', 'waiting'], limit: 1 })).length > 0) {
    // A start that a stop refused counts as an attempt, and the policy of the example asks a person before the fourth.
    for (const { id, digest } of await mei.approvals('open'))
      await mei.vote(id, { vote: 'approve', why: 'It was the drill', digest })
    await pause(100)
  }
  const heads = [...(await operator.runs({ limit: 500 }))]
  for (let page = heads; page.length === 500; ) {
    page = [...(await operator.runs({ limit: 500, before: page.at(-1)?.run ?? '' }))]
    heads.push(...page)
  }
  expect(heads).toHaveLength(used)
  const details = []
  for (const { run } of heads) details.push(await operator.run(run))
  expect(
    details.filter(({ state }) => state !== 'completed' && state !== 'undone').map(({ state, reason }) => `${state}: ${reason}`),
  ).toEqual([])
  expect(compareWithDesk(stage.deskFile, details, await operator.queue(true))).toMatchObject({
    lost: [],
    doubled: [],
    unrecorded: [],
    misstated: [],
    ambiguousOpen: [],
  })
}

/** Opens a run for a customer whose mail bounces, so that the refund is cancelled, slowly. */
async function openSlowUndo(of: Stage, event: string): Promise<string> {
  const [ticketId = ''] = stockTickets(of.deskFile, [ticketOf('smallRefund', customerOf(1))])
  await of.desk.call('POST', '/faults', { match: 'POST /refunds/:id/cancel', mode: 'slow', ms: 700 })
  const { run } = await of.client('operator').trigger({ workflow: 'support-billing', source: 'desk', event, input: { ticketId } })
  return run
}

test('a compensation that was under way when a stop came is reported, held, and verified in the end', async () => {
  const run = await openSlowUndo(stage, 'slow-undo')
  while (!(await operator.run(run)).actions.some(({ purpose, state }) => purpose === 'compensate' && state === 'started'))
    await pause(20)
  const { stop, running } = await operator.stop({ scope: `run:${run}`, why: 'A drill' })
  expect(running.map(({ operation }) => operation)).toEqual(['desk.refund.cancel'])
  await pause(1_500)
  expect(await operator.run(run)).toMatchObject({ state: 'undoing', heldBy: stop.id, items: [] })
  await operator.lift({ stop: stop.id, why: 'The drill is over' })
  await expect
    .poll(() => operator.settled(run, 2_000), { timeout: 10_000 })
    .toMatchObject({ state: 'undone', failure: 'connector_semantic' })
})

test('an effect whose outcome is not known is looked for under a stop', async () => {
  const [ticketId = ''] = stockTickets(stage.deskFile, [ticketOf('smallRefund', customerOf(2))])
  await stage.desk.call('POST', '/faults', { match: 'POST /refunds', mode: 'drop-after' })
  const { run } = await operator.trigger({ workflow: 'support-billing', source: 'desk', event: 'unknown', input: { ticketId } })
  const refund = async () => (await operator.run(run)).actions.find(({ operation }) => operation === 'desk.refund.small')
  while ((await refund())?.state !== 'ambiguous') await pause(20)
  const { stop } = await operator.stop({ scope: 'global', why: 'A drill' })
  for (const deadline = Date.now() + 10_000; (await refund())?.state === 'ambiguous' && Date.now() < deadline; ) await pause(100)
  expect(await refund()).toMatchObject({ state: 'done', found: 'happened' })
  await expect.poll(async () => (await operator.run(run)).heldBy).toBe(stop.id)
  await operator.lift({ stop: stop.id, why: 'The drill is over' })
  await expect.poll(() => operator.settled(run, 2_000), { timeout: 10_000 }).toMatchObject({ state: 'completed' })
})
