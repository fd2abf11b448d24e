import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from '@tidegate/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compareWithDesk } from '../src/compare.ts'
import { noMountsBecause, withMounts } from '../src/namespace.ts'
import { refusalOf } from '../src/refusal.ts'
import { setStage, type Stage } from '../src/stage.ts'
import { customerOf, stockTickets } from '../src/stock.ts'
import { ticketOf } from '../src/ticket.ts'

const because = noMountsBecause()

let stage: Stage
let good = ''

/** What the store holds, by name and content. */
function contents(directory: string): ReadonlyMap<string, string> {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(directory, name)).isFile(),
  )
  return new Map(files.toSorted().map((name) => [name, readFileSync(join(directory, name), 'latin1')]))
}

/** The store as the first server left it. */
function restore(): void {
  rmSync(stage.store, { recursive: true, force: true })
  cpSync(good, stage.store, { recursive: true, mode: 0 })
}

async function trigger(client: Client, n: number): Promise<string> {
  const [ticketId = ''] = stockTickets(stage.deskFile, [ticketOf('smallRefund', customerOf(n))])
  return (await client.trigger({ workflow: 'support-billing', source: 'desk', event: `e-${ticketId}`, input: { ticketId } })).run
}

beforeAll(async () => {
  stage = await setStage({ customers: 40 })
  const server = await stage.start()
  const operator = stage.client('operator')
  const runs = await Promise.all([2, 6, 10].map((n) => trigger(operator, n)))
  for (const run of runs) expect(await operator.settled(run, 10_000)).toMatchObject({ state: 'completed' })
  expect(await server.stop()).toMatchObject({ code: 0 })
  good = join(stage.directory, 'good')
  cpSync(stage.store, good, { recursive: true, mode: 0 })
})
afterAll(() => stage.close())

describe.skipIf(because !== undefined)(
  `a file system that is read-only${because === undefined ? '' : ` (skipped: ${because})`}`,
  () => {
    const readOnly = (): readonly string[] =>
      withMounts(['--bind', stage.store, stage.store], ['-o', 'remount,ro,bind', stage.store])

    test('is named at the start, and a restart on a writable one finds everything', async () => {
      restore()
      const before = contents(stage.store)
      const { code, stderr } = await refusalOf(stage, readOnly())
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(
          /journal_unwritable: .*cannot be written \(read-only, or the disk fails\)\. Make it writable and start again/,
        ),
      ])
      expect(contents(stage.store)).toEqual(before)
      const server = await stage.start()
      expect(await stage.client('operator').runs({ state: ['completed'] })).toHaveLength(3)
      expect(await stage.client('operator').ledgerVerify()).toMatchObject({ verified: true })
      await server.stop()
    })

    test('is named at the first start of all', async () => {
      rmSync(stage.store, { recursive: true, force: true })
      mkdirSync(stage.store, { mode: 0o700 })
      const { code, stderr } = await refusalOf(stage, readOnly())
      expect([code, stderr]).toEqual([1, expect.stringMatching(/state_unusable: .*cannot be (?:made|written)/)])
      expect(readdirSync(stage.store)).toEqual([])
    })
  },
)

test('a disk that stops taking writes while runs are going: a clear error, and a restart finds everything', async () => {
  restore()
  const first = await stage.start()
  const operator = stage.client('operator')
  const runs = [await trigger(operator, 14), await trigger(operator, 18)]
  // Every write beyond the first byte of a file fails from now on, as on a disk that fell back to read-only.
  expect(spawnSync('prlimit', ['--pid', String(first.pid), '--fsize=1']).status).toBe(0)
  await expect(trigger(operator, 22)).rejects.toMatchObject({ problem: { status: 503, code: 'storage_unwritable' } })
  await expect
    .poll(first.stderr, { timeout: 5_000 })
    .toMatch(
      /cannot be written \(read-only, or the disk fails\)\. Make it writable and start again; nothing that was acknowledged is lost/,
    )
  await pause(200)
  await first.stop('SIGTERM')
  const second = await stage.start()
  const after = stage.client('operator')
  for (const run of runs) expect(await after.settled(run, 15_000)).toMatchObject({ state: 'completed' })
  const all = await Promise.all((await after.runs()).map(({ run }) => after.run(run)))
  expect(all).toHaveLength(5)
  expect(compareWithDesk(stage.deskFile, all, [])).toMatchObject({ lost: [], doubled: [], ambiguousOpen: [] })
  expect(await after.ledgerVerify()).toMatchObject({ verified: true })
  await second.stop()
})
