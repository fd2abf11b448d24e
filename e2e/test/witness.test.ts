import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseVerifierKey } from '@tidegate/kernel'
import { nodeHasher, verifyExport } from '@tidegate/verify'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Program, startProgram } from '../src/program.ts'
import { refusalOf } from '../src/refusal.ts'
import { setStage, type Stage } from '../src/stage.ts'
import { customerOf, stockTickets } from '../src/stock.ts'
import { ticketOf } from '../src/ticket.ts'

const WITNESS = fileURLToPath(new URL('../../packages/witness/bin/tidegate-witness.js', import.meta.url))
const VERIFY = fileURLToPath(new URL('../../packages/verify/bin/tidegate-verify.js', import.meta.url))

let stage: Stage
let witness: Program | undefined
let witnessKey = ''
let witnessUrl = ''
let older = ''
let newest = ''
let plain = ''
let exports = 0

/** Does some work, and answers the directory of an export that came after it. */
async function workAndExport(customer: number): Promise<string> {
  const operator = stage.client('operator')
  const [ticketId = ''] = stockTickets(stage.deskFile, [ticketOf('thanks', customerOf(customer))])
  const { run } = await operator.trigger({
    workflow: 'support-billing',
    source: 'desk',
    event: `e-${ticketId}`,
    input: { ticketId },
  })
  expect(await operator.settled(run, 10_000)).toMatchObject({ state: 'completed' })
  exports += 1
  const directory = join(stage.directory, `export-${exports}`)
  await operator.ledgerExport({ directory, payloads: true })
  return directory
}

async function startWitness(logKey: string): Promise<{ readonly program: Program; readonly key: string; readonly url: string }> {
  const program = startProgram([
    process.execPath,
    WITNESS,
    '--name',
    'witness.example/w1',
    '--state',
    join(stage.directory, 'witness'),
    '--log',
    logKey,
  ])
  for (const deadline = Date.now() + 10_000; !program.stdout().includes('listening') && Date.now() < deadline; ) await pause(20)
  const [, key = '', url = ''] = /^vkey (\S+)\nlistening (\S+)$/m.exec(program.stdout()) ?? []
  return { program, key, url }
}

/** Puts a witness into the configuration, or takes it out. */
function configure(lines: string): void {
  writeFileSync(join(stage.project, 'tidegate.yaml'), plain + lines)
}

const witnessed = (url: string): string =>
  `witness: { url: ${JSON.stringify(url)}, key: ${JSON.stringify(witnessKey)}, every: 500ms, required: true }\n`

/** Swaps the journal, as somebody with the disk in their hands could. */
function putJournal(from: string): void {
  for (const end of ['-wal', '-shm', '.lock', '']) rmSync(join(stage.store, `journal.db${end}`), { force: true })
  cpSync(from, join(stage.store, 'journal.db'))
}

function keepJournal(name: string): string {
  const copy = join(stage.directory, name)
  cpSync(join(stage.store, 'journal.db'), copy)
  return copy
}

beforeAll(async () => {
  stage = await setStage({ customers: 40 })
  plain = readFileSync(join(stage.project, 'tidegate.yaml'), 'utf8')
  const first = await stage.start()
  const own = await workAndExport(2)
  await first.stop()
  const logKey = readFileSync(join(own, 'keys', 'log.vkey'), 'utf8').trim()
  const started = await startWitness(logKey)
  witness = started.program
  witnessKey = started.key
  witnessUrl = started.url
  configure(witnessed(witnessUrl))
  const second = await stage.start()
  await workAndExport(6)
  await second.stop()
  older = keepJournal('older.db')
  const third = await stage.start()
  await workAndExport(10)
  await third.stop()
  newest = keepJournal('newest.db')
}, 30_000)

afterAll(async () => {
  await witness?.stop('SIGKILL')
  await stage.close()
})

describe('a ledger that a witness watches', () => {
  afterEach(() => putJournal(newest))

  test('is exported with its cosignature, which verifies offline, and not under another key', async () => {
    const server = await stage.start()
    const directory = await workAndExport(14)
    await server.stop()
    newest = keepJournal('newest.db')
    const trusted = { witnessKeys: [parseVerifierKey(nodeHasher, witnessKey)] }
    expect(verifyExport(directory, trusted)).toMatchObject({ kind: 'verified', cosigned: [expect.anything()] })
    const note = readFileSync(join(directory, 'checkpoint'), 'utf8')
    writeFileSync(join(directory, 'checkpoint'), `${note.split('\n').slice(0, -2).join('\n')}\n`)
    expect(verifyExport(directory, trusted)).toMatchObject({ kind: 'refused' })
  })

  test('is not started when its tail is cut off', async () => {
    putJournal(older)
    const { code, stderr } = await refusalOf(stage)
    expect([code, stderr]).toEqual([1, expect.stringMatching(/ledger_shortened: .*Restore the newest copy of the journal/s)])
  })

  test('is not started when it was forked, however long the fork is', async () => {
    putJournal(older)
    configure('')
    const alone = await stage.start()
    for (const customer of [18, 22, 26]) await workAndExport(customer)
    await alone.stop()
    configure(witnessed(witnessUrl))
    const { code, stderr } = await refusalOf(stage)
    expect([code, stderr]).toEqual([1, expect.stringMatching(/ledger_shortened: .*entries are lost or altered/s)])
  })

  test('is not started without its witness, when the witness is required', async () => {
    configure(witnessed('http://127.0.0.1:1'))
    const { code, stderr } = await refusalOf(stage)
    configure(witnessed(witnessUrl))
    expect([code, stderr]).toEqual([1, expect.stringMatching(/state_unusable: The witness is required, but did not cosign/)])
  })
})

test('one flipped bit in an entry of the database: the server says so, and an export is refused', async () => {
  configure('')
  const db = new DatabaseSync(join(stage.store, 'journal.db'))
  const entry = db.prepare("SELECT idx, text FROM entries WHERE text LIKE '%effect.started%' ORDER BY idx LIMIT 1").get()
  const text = String(entry?.text).replace('"attempt":1', '"attempt":3')
  expect(text).not.toBe(entry?.text)
  db.prepare('UPDATE entries SET text = ? WHERE idx = ?').run(text, Number(entry?.idx))
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  db.close()
  const server = await stage.start()
  const operator = stage.client('operator')
  expect(await operator.ledgerVerify()).toMatchObject({
    verified: false,
    problems: [expect.stringMatching(/do not hash to the root/), expect.anything()],
  })
  const directory = join(stage.directory, 'tampered')
  await expect(operator.ledgerExport({ directory, payloads: false })).rejects.toThrow(
    /does not hash to the checkpoint that was signed.*tidegate ledger verify/,
  )
  await server.stop()
  // What was written before it was noticed has no checkpoint; with the last one that was signed it is refused as well.
  cpSync(join(stage.directory, `export-${exports}`, 'checkpoint'), join(directory, 'checkpoint'))
  expect(verifyExport(directory)).toMatchObject({ kind: 'refused' })
  const program = startProgram([process.execPath, VERIFY, 'export', directory])
  const { code } = await program.ended
  expect([code, program.stdout() + program.stderr()]).toEqual([1, expect.stringMatching(/REFUSED/i)])
})
