import { existsSync, mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { ClientError } from '@tidegate/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compareWithDesk } from '../src/compare.ts'
import { noMountsBecause, withMounts } from '../src/namespace.ts'
import type { ServerProcess } from '../src/server-process.ts'
import { seenBy, setStage, type Stage } from '../src/stage.ts'
import { customerOf, stockTickets } from '../src/stock.ts'
import { type TicketKind, ticketOf } from '../src/ticket.ts'

const TICKETS = 60
const KINDS: readonly TicketKind[] = ['address', 'smallRefund', 'credit']
const because = noMountsBecause()

describe.skipIf(because !== undefined)(
  `a disk that fills up while runs are going${because === undefined ? '' : ` (skipped: ${because})`}`,
  () => {
    let stage: Stage
    let server: ServerProcess
    let tickets: readonly string[] = []

    beforeAll(async () => {
      stage = await setStage({ customers: TICKETS })
      tickets = stockTickets(
        stage.deskFile,
        Array.from({ length: TICKETS }, (_, n) => ticketOf(KINDS[n % KINDS.length] ?? 'address', customerOf(n))),
      )
      mkdirSync(stage.store, { mode: 0o700 })
      server = await stage.start({ wrap: withMounts(['-t', 'tmpfs', '-o', 'size=64m,mode=700', 'tmpfs', stage.store]) })
    })
    afterAll(() => stage.close())

    /** Takes the last byte of the disk. */
    function fillUp(): void {
      const filler = join(seenBy(server, stage.store), 'filler')
      for (let size = statfsSync(seenBy(server, stage.store)).bavail * 4_096; size >= 1; size = Math.floor(size / 2)) {
        try {
          writeFileSync(filler, Buffer.alloc(size), { flag: 'a' })
        } catch {
          // It does not fit: the half of it may.
        }
      }
    }

    test('says so with the cure, loses nothing it acknowledged, and goes on by itself when there is room again', async () => {
      const operator = stage.client('operator')
      const acknowledged: string[] = []
      const refused: string[] = []
      const deliver = async (ticketId: string): Promise<void> => {
        try {
          await operator.trigger({ workflow: 'support-billing', source: 'desk', event: `e-${ticketId}`, input: { ticketId } })
          acknowledged.push(ticketId)
        } catch (error) {
          if (!(error instanceof ClientError) || error.problem === undefined) throw error
          expect(error.problem).toMatchObject({ status: 503, code: 'storage_full' })
          refused.push(ticketId)
        }
      }
      await Promise.all(tickets.slice(0, 30).map(deliver))
      fillUp()
      for (const deadline = Date.now() + 8_000; refused.length === 0 && Date.now() < deadline; await pause(20)) {
        await Promise.all(
          tickets
            .slice(acknowledged.length + refused.length)
            .slice(0, 5)
            .map(deliver),
        )
      }
      expect([refused.length > 0, server.isRunning()]).toEqual([true, true])
      await expect
        .poll(server.stderr, { timeout: 5_000 })
        .toMatch(/no room left for the journal .*Free some space; nothing that was acknowledged is lost\. \(journal_full/)
      const before = await operator.ledgerHead()
      expect((await operator.ledgerVerify()).verified).toBe(true)

      rmSync(join(seenBy(server, stage.store), 'filler'))
      await pause(100)
      for (const ticketId of tickets.filter((id) => !acknowledged.includes(id))) await deliver(ticketId)
      expect(acknowledged.toSorted()).toEqual(tickets.toSorted())
      await expect
        .poll(async () => (await operator.runs({ state: ['running', 'undoing', 'waiting'] })).length, {
          timeout: 15_000,
          interval: 200,
        })
        .toBe(0)

      const runs = await Promise.all((await operator.runs({ limit: 500 })).map(({ run }) => operator.run(run)))
      expect(runs.map(({ trigger }) => trigger.event).toSorted()).toEqual(tickets.map((id) => `e-${id}`).toSorted())
      expect(compareWithDesk(stage.deskFile, runs, await operator.queue(true))).toMatchObject({
        lost: [],
        doubled: [],
        unrecorded: [],
        misstated: [],
        ambiguousOpen: [],
      })
      // An address whose correction was only found by looking has no known way back: that is for a person, and a person is told.
      const ends = runs.map(({ state, failure, items }) =>
        items.some(({ kind }) => kind === 'cannot_undo') ? 'handed over' : `${state} ${failure}`,
      )
      expect(ends.filter((end) => !['completed null', 'undone connector_semantic', 'handed over'].includes(end))).toEqual([])
      expect((await operator.ledgerHead()).size).toBeGreaterThan(before.size)
      expect((await operator.ledgerVerify()).problems).toEqual([])
      expect(existsSync(join(seenBy(server, stage.store), 'journal.db'))).toBe(true)
    }, 40_000)
  },
)
