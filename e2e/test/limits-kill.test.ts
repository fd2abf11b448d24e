import { mkdirSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from '@tidegate/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createChance } from '../src/chance.ts'
import { setStage, type Stage } from '../src/stage.ts'
import { customerOf, stockTickets } from '../src/stock.ts'
import { ticketOf } from '../src/ticket.ts'

const KILLS = 4
const PER_ROUND = 28
const LEFT = 28
const REFUNDS = 20
const CREDIT_MINOR = 9_000
const LIMITS = `- name: small-refunds
  of: effects
  operations: [desk.refund.small]
  per: global
  window: ever
  limit: ${REFUNDS}
- name: credits-per-agent
  of: effects
  operations: [desk.credit.grant]
  sum: /amountMinor
  per: agent
  window: 1d
  limit: ${CREDIT_MINOR}
`

let stage: Stage
let tickets: readonly string[] = []

beforeAll(async () => {
  const count = KILLS * PER_ROUND + LEFT
  stage = await setStage({ customers: count, configuration: 'limits: [limits/*.yaml]\n' })
  mkdirSync(join(stage.project, 'limits'))
  writeFileSync(join(stage.project, 'limits', 'money.yaml'), LIMITS)
  tickets = stockTickets(
    stage.deskFile,
    Array.from({ length: count }, (_, n) => ticketOf(n % 2 === 0 ? 'smallRefund' : 'credit', customerOf(n))),
  )
})

afterAll(() => stage.close())

/** Delivers tickets all at once; a server that is killed meanwhile answers some of them no more. */
async function deliver(client: Client, list: readonly string[]): Promise<void> {
  await Promise.allSettled(
    list.map((ticketId) =>
      client.trigger({ workflow: 'support-billing', source: 'desk', event: `e-${ticketId}`, input: { ticketId } }),
    ),
  )
}

/** What the desk itself has, read from its file. */
function granted(table: 'refunds' | 'credits'): { readonly count: number; readonly minor: number } {
  const db = new DatabaseSync(stage.deskFile, { readOnly: true })
  try {
    const row = db.prepare(`SELECT count(*) AS n, coalesce(sum(amount_minor), 0) AS minor FROM ${table}`).get()
    return { count: Number(row?.n), minor: Number(row?.minor) }
  } finally {
    db.close()
  }
}

/** Waits until so many refunds are in the world, or that seems to take for ever. */
async function untilGranted(count: number): Promise<void> {
  const deadline = performance.now() + 15_000
  while (granted('refunds').count < count && performance.now() < deadline) await pause(3)
}

async function untilCalm(client: Client): Promise<void> {
  for (let calm = 0; calm < 3; ) {
    const going = await client.runs({ state: ['running', 'undoing'], limit: 500 })
    calm = going.length === 0 ? calm + 1 : 0
    await pause(50)
  }
}

test(`${KILLS} kills -9 under load: not one effect more than the limits allow, and in the end not one less`, async () => {
  const chance = createChance(31)
  const passed: number[] = []
  for (let round = 0; round < KILLS; round++) {
    const server = await stage.start()
    const delivering = deliver(stage.client('operator'), tickets.slice(0, (round + 1) * PER_ROUND))
    await untilGranted(round * 4 + chance.between(1, 4))
    await server.stop('SIGKILL')
    await delivering
    passed.push(granted('refunds').count)
    expect(granted('refunds').count).toBeLessThanOrEqual(REFUNDS)
    expect(granted('credits').minor).toBeLessThanOrEqual(CREDIT_MINOR)
  }
  expect(passed.some((count) => count > 0 && count < REFUNDS)).toBe(true) // the kills hit the counting, not the rest after it
  await stage.start()
  const operator = stage.client('operator')
  await deliver(operator, tickets)
  await untilCalm(operator)
  expect(granted('refunds').count).toBe(REFUNDS)
  expect(granted('credits').minor).toBe(CREDIT_MINOR)
  const denied = await operator.runs({ state: ['failed'], limit: 500 })
  expect(denied.filter(({ failure }) => failure === 'policy_denial').length).toBeGreaterThan(20)
  expect((await operator.ledgerVerify()).problems).toEqual([])
}, 120_000)
