import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { AppendResult } from '@tidegate/kernel'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { createSealer } from '../src/sealer.ts'
import { crowd, type GatedJournal, note, openGatedJournal, PARTS, turn, valuesOf } from './gated-journal.ts'

const root = mkdtempSync(join(tmpdir(), 'tidegate-sealer-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

describe('the key of a stream', () => {
  const sealer = (stored: Map<string, Uint8Array | null> = new Map()) =>
    createSealer({ ...PARTS, findWrappedKey: (stream) => stored.get(stream) })
  const bytesOf = (text: string | null) => Buffer.from(text ?? '', 'latin1')

  test('goes along until the store is known to have it', () => {
    const s = sealer()
    const [first, second] = [s.seal('run/a', '1'), s.seal('run/a', '2')]
    expect([first.wrappedKey === null, second.keyName]).toEqual([false, first.keyName])
    expect(second.wrappedKey).toBe(first.wrappedKey)
    s.settle('run/a', first, true)
    expect(s.seal('run/a', '3')).toMatchObject({ keyName: first.keyName, wrappedKey: null })
  })

  test('is made anew after the only record with it has failed', () => {
    const s = sealer()
    const first = s.seal('run/a', '1')
    s.settle('run/a', first, false)
    const second = s.seal('run/a', '2')
    expect([second.keyName === first.keyName, second.wrappedKey === null]).toEqual([false, false])
  })

  test('S3: stays while another record is on its way with it', () => {
    const s = sealer()
    const [first, second] = [s.seal('run/a', '1'), s.seal('run/a', '2')]
    s.settle('run/a', first, false)
    expect(s.seal('run/a', '3').keyName).toBe(first.keyName)
    s.settle('run/a', second, true)
    expect(s.seal('run/a', '4').wrappedKey).toBeNull()
  })

  test('S2: an answer for a key of before is no answer for the one of now', () => {
    const s = sealer()
    const old = s.seal('run/a', '1')
    s.forget('run/a')
    const now = s.seal('run/a', '2')
    s.settle('run/a', old, true)
    expect(s.seal('run/a', '3').wrappedKey).toBe(now.wrappedKey)
  })

  test('is found again in the store, and not made anew', () => {
    const first = sealer().seal('run/a', '1')
    const s = sealer(new Map([['run/a', bytesOf(first.wrappedKey)]]))
    expect(s.seal('run/a', '2')).toMatchObject({ keyName: first.keyName, wrappedKey: null })
  })

  test('that does not open refuses to seal: the journal or the master key is another one', () => {
    const first = sealer().seal('run/a', '1')
    const parts = { ...PARTS, masterKey: new Uint8Array(32).fill(8), findWrappedKey: () => bytesOf(first.wrappedKey) }
    expect(() => createSealer(parts).seal('run/a', '2')).toThrow(expect.objectContaining({ code: 'journal_corrupt' }))
  })
})

describe('what is committed can be read', () => {
  test('also when a refused record of its stream was answered first', async () => {
    const gated = openGatedJournal(root)
    const { journal } = gated
    const refused = journal.append(note('run/a', 7, 'too early'))
    await turn()
    const first = journal.append(note('run/a', 0, 'first'))
    const others = crowd(journal, 'x')
    await turn()
    await gated.step() // the refusal is heard before the first record is there
    expect(await refused).toEqual({ kind: 'conflict', seq: 0 })
    const second = journal.append(note('run/a', 1, 'second'))
    await gated.drain()
    const results = await Promise.all([first, second, journalAfter(gated, 'third')])
    expect(results.map((result) => result.kind)).toEqual(['committed', 'committed', 'committed'])
    expect(await valuesOf(journal, 'run/a')).toEqual(['first', 'second', 'third'])
    await others
    await journal.close()
  })

  test('an erasure that overtakes a record on its way refuses it, and the stream goes on under a new key', async () => {
    const gated = openGatedJournal(root)
    const { journal } = gated
    const first = journal.append(note('run/a', 0, 'first'))
    await gated.drain()
    await first
    const erasing = journal.erase('run/a')
    const late = journal.append(note('run/a', 1, 'late')).catch((error: unknown) => error)
    await gated.drain()
    await erasing
    expect(await late).toMatchObject({ code: 'journal_unwritable' })
    const after = journal.append(note('run/a', 1, 'after'))
    await gated.drain()
    expect((await after).kind).toBe('committed')
    expect(await valuesOf(journal, 'run/a')).toEqual(['erased', 'after'])
    await journal.close()
  })

  test('an erasure that fails leaves what was there', async () => {
    const gated = openGatedJournal(root)
    const { journal } = gated
    const first = journal.append(note('run/a', 0, 'first'))
    await gated.drain()
    await first
    const erasing = journal.erase('run/a').catch((error: unknown) => error)
    await gated.step('lost')
    expect(await erasing).toMatchObject({ code: 'journal_full' })
    const second = journal.append(note('run/a', 1, 'second'))
    await gated.drain()
    await second
    expect(await valuesOf(journal, 'run/a')).toEqual(['first', 'second'])
    await journal.close()
  })

  test('law: whatever fails, conflicts, is erased and overtakes', async () => {
    const stream = fc.constantFrom('a', 'b')
    const act = fc.oneof(
      { weight: 5, arbitrary: fc.record({ act: fc.constant('append' as const), stream, early: fc.nat({ max: 2 }) }) },
      { weight: 3, arbitrary: fc.record({ act: fc.constant('crowd' as const) }) },
      { weight: 4, arbitrary: fc.record({ act: fc.constant('step' as const) }) },
      { weight: 1, arbitrary: fc.record({ act: fc.constant('lose' as const) }) },
      { weight: 2, arbitrary: fc.record({ act: fc.constant('erase' as const), stream }) },
    )
    let crowds = 0
    let runs = 0
    const gated = openGatedJournal(root)
    const { journal } = gated
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 40 }), async (acts) => {
        const prefix = `run/${runs++}`
        const seqs = new Map<string, number>()
        const appended: { stream: string; value: string; answer: Promise<AppendResult | undefined>; afterErasures: number }[] = []
        const erasures: { stream: string; answered: boolean }[] = []
        for (const [i, each] of acts.entries()) {
          const name = 'stream' in each ? `${prefix}${each.stream}` : ''
          if (each.act === 'append') {
            const seq = (seqs.get(name) ?? 0) + (each.early === 2 ? 1 : 0)
            const answer = journal.append(note(name, seq, `value ${i}`)).then(
              (result) => {
                if (result.kind === 'committed') seqs.set(name, result.entry.seq)
                return result
              },
              () => undefined,
            )
            const afterErasures = erasures.filter((one) => one.stream === name && one.answered).length
            appended.push({ stream: name, value: `value ${i}`, answer, afterErasures })
            await turn()
          } else if (each.act === 'crowd') {
            void crowd(journal, `c${crowds++}`)
            await turn()
          } else if (each.act === 'erase') {
            const erasure = { stream: name, answered: false }
            erasures.push(erasure)
            journal.erase(name).then(
              () => {
                erasure.answered = true
              },
              () => {
                erasure.answered = true
              },
            )
          } else await gated.step(each.act === 'lose' ? 'lost' : 'done')
        }
        await gated.drain()
        for (const name of [`${prefix}a`, `${prefix}b`]) {
          const values = await valuesOf(journal, name) // throws when something does not open
          for (const { stream: of, value, answer, afterErasures } of appended.filter((one) => one.stream === name)) {
            const result = await answer
            if (result?.kind !== 'committed') {
              expect(values).not.toContain(value)
              continue
            }
            const mayBeErased = erasures.filter((one) => one.stream === of).length > afterErasures
            expect(values[result.entry.seq - 1]).toSatisfy((seen) => seen === value || (mayBeErased && seen === 'erased'))
          }
        }
      }),
      { numRuns: 80 },
    )
    await journal.close()
  })
})

describe('what was altered in the file', () => {
  test.each([
    ['a payload', 'UPDATE entries SET payload = zeroblob(64) WHERE seq = 1'],
    ['a key', 'UPDATE streams SET wrapped_key = zeroblob(60)'],
    ['a record', "UPDATE entries SET text = 'no JSON'"],
    ['a table', 'DROP TABLE entries'],
  ])('%s is an error of the journal and no defect of the run', async (_, sql) => {
    const gated = openGatedJournal(root)
    const first = gated.journal.append(note('run/a', 0, 'first'))
    await gated.drain()
    await first
    gated.store.db.exec(sql)
    const error = await gated.journal.read('run/a').catch((cause: unknown) => cause)
    expect(error).toMatchObject({ name: 'JournalError', code: expect.stringMatching(/^journal_(?:corrupt|unwritable)$/) })
    expect(JSON.stringify(error)).not.toContain('first')
    await gated.journal.close()
  })
})

test('an erasure whose log another process keeps says so; the next one empties it', async () => {
  const gated = openGatedJournal(root)
  const { journal, store } = gated
  const first = journal.append(note('run/a', 0, 'first'))
  await gated.drain()
  await first
  const other = new DatabaseSync(store.file, { readOnly: true })
  other.exec('BEGIN; SELECT * FROM head')
  const erasing = journal.erase('run/a').catch((error: unknown) => error)
  await gated.drain()
  expect(await erasing).toMatchObject({ code: 'journal_locked' })
  expect(await valuesOf(journal, 'run/a')).toEqual(['erased'])
  other.close()
  const again = journal.erase('run/a')
  await gated.drain()
  await expect(again).resolves.toBeUndefined()
  await journal.close()
})

async function journalAfter({ journal, drain }: GatedJournal, value: string): Promise<AppendResult> {
  await drain()
  const answer = journal.append(note('run/a', 2, value))
  await drain()
  return answer
}
