import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from '@tidegate/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compareWithDesk } from '../src/compare.ts'
import type { ServerProcess } from '../src/server-process.ts'
import { setStage, type Stage } from '../src/stage.ts'
import { customerOf, stockTickets } from '../src/stock.ts'
import { type TicketKind, ticketOf } from '../src/ticket.ts'

// libfaketime (Debian: faketime) moves the clock that a process sees; its monotonic clock stays as it is, as on a real machine.
const FAKETIME = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1',
].find((file) => existsSync(file))
const HOUR_S = 3_600

describe.skipIf(FAKETIME === undefined)(
  `a clock that jumps${FAKETIME === undefined ? ' (skipped: libfaketime is not installed)' : ''}`,
  () => {
    let stage: Stage
    let server: ServerProcess
    let operator: Client
    let customer = 0
    const moved = (): string => join(stage.directory, 'clock')
    const jump = (seconds: number): void => writeFileSync(moved(), `${seconds >= 0 ? '+' : ''}${seconds}\n`)
    const environment = (): Record<string, string> => ({
      LD_PRELOAD: FAKETIME ?? '',
      FAKETIME_TIMESTAMP_FILE: moved(),
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    })

    beforeAll(async () => {
      stage = await setStage({ customers: 100 })
      jump(0)
      server = await stage.start({ environment: environment() })
      operator = stage.client('operator')
    })
    afterAll(() => stage.close())

    async function open(kind: TicketKind): Promise<string> {
      customer += 4
      const [ticketId = ''] = stockTickets(stage.deskFile, [ticketOf(kind, customerOf(customer))])
      return (await operator.trigger({ workflow: 'support-billing', source: 'desk', event: ticketId, input: { ticketId } })).run
    }

    async function ended(run: string, withinMs: number): Promise<string> {
      const deadline = Date.now() + withinMs
      for (;;) {
        const { state } = await operator.settled(run, 1_000)
        if ((state !== 'running' && state !== 'undoing') || Date.now() > deadline) return state
      }
    }

    test('back by an hour while runs are going: they end as ever, also those that wait for a retry or for a look', async () => {
      await stage.desk.call('POST', '/faults', { match: 'POST /credits', mode: 'error-after' })
      await stage.desk.call('POST', '/faults', { match: 'GET /customers/:id', mode: 'error-before', times: 2 })
      const before = [await open('credit'), await open('smallRefund'), await open('largeRefund')]
      await pause(400)
      jump(-HOUR_S)
      const after = [await open('address'), await open('thanks')]
      const [credit = '', refund = '', large = ''] = before
      expect([await ended(credit, 12_000), await ended(refund, 5_000), await ended(large, 5_000)]).toEqual([
        'completed',
        'completed',
        'waiting',
      ])
      for (const run of after) expect(await ended(run, 5_000)).toBe('completed')
      await stage.desk.call('POST', '/faults', { match: 'POST /credits', mode: 'drop-after' })
      expect(await ended(await open('credit'), 12_000)).toBe('completed')
      const [question] = await operator.approvals('open')
      expect((question?.deadlineMs ?? 0) - (question?.openedAtMs ?? 0)).toBe(24 * HOUR_S * 1_000)
      await stage.client('mei').vote(question?.id ?? '', { vote: 'approve', why: 'Looked at it', digest: question?.digest ?? '' })
      expect(await ended(large, 10_000)).toBe('completed')
    }, 40_000)

    test('a start on a clock that is an hour behind the journal goes on as well', async () => {
      await server.stop('SIGKILL')
      jump(-HOUR_S)
      server = await stage.start({ environment: environment() })
      operator = stage.client('operator')
      await stage.desk.call('POST', '/faults', { match: 'POST /credits', mode: 'error-after' })
      expect(await ended(await open('credit'), 12_000)).toBe('completed')
      expect(server.stderr()).not.toMatch(/defect/)
    }, 40_000)

    test('the ledger never goes back in time, verifies, and agrees with the desk', async () => {
      const runs = await Promise.all((await operator.runs({ limit: 500 })).map(({ run }) => operator.run(run)))
      expect(compareWithDesk(stage.deskFile, runs, await operator.queue(true))).toMatchObject({
        lost: [],
        doubled: [],
        unrecorded: [],
        misstated: [],
        ambiguousOpen: [],
      })
      expect(await operator.ledgerVerify()).toMatchObject({ verified: true })
      const db = new DatabaseSync(join(stage.store, 'journal.db'), { readOnly: true })
      const times = db
        .prepare("SELECT json_extract(text, '$.at') AS at FROM entries ORDER BY idx")
        .all()
        .map(({ at }) => Number(at))
      db.close()
      expect(times.length).toBeGreaterThan(50)
      expect(times).toEqual(times.toSorted((a, b) => a - b))
    })
  },
)
