import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSigningKey, nodeVerifier } from '@tidegate/crypto-node'
import { createWriterParts } from '@tidegate/crypto-node/writer-parts'
import { createFrontier, encodeBase64, leafHash, openCheckpoint, parseVerifierKey } from '@tidegate/kernel'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { openSqliteJournal, openThreadedJournal, type SqliteJournal } from '../src/index.ts'
import { crowd, note, openGatedJournal, PARTS, turn, valuesOf } from './gated-journal.ts'

const root = mkdtempSync(join(tmpdir(), 'tidegate-commits-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** Recomputes the tree and holds it against the signed head. */
function expectWhole({ ledger }: SqliteJournal): void {
  const { size, root: hash, checkpoint } = ledger.head()
  const frontier = createFrontier(PARTS.hasher)
  for (const text of ledger.texts(0, size)) frontier.append(leafHash(PARTS.hasher, text))
  const keys = { logKeys: [parseVerifierKey(PARTS.hasher, ledger.verifierKey)], witnessKeys: [] }
  expect([frontier.size, encodeBase64(frontier.root())]).toEqual([size, hash])
  expect(openCheckpoint(nodeVerifier, checkpoint, keys)).toMatchObject({ kind: 'verified', checkpoint: { size } })
}

describe('several commits under way', () => {
  test('are answered in the order in which their records came, and never more than three at once', async () => {
    const gated = openGatedJournal(root)
    const { journal } = gated
    const answered: string[] = []
    for (let i = 0; i < 5; i++) {
      void journal.append(note(`run/${i}`, 0, 'x')).then(() => answered.push(`run/${i}`))
      void crowd(journal, `c${i}`)
      await turn()
    }
    expect(gated.waiting()).toBe(3)
    await gated.drain()
    expect(answered).toEqual(['run/0', 'run/1', 'run/2', 'run/3', 'run/4'])
    expect(journal.head().size).toBe(5 * 33)
    await journal.close()
  })

  test('one that fails takes its own records along and no other; nothing of it is there', async () => {
    const gated = openGatedJournal(root)
    const { journal } = gated
    const appends = ['a', 'b', 'c'].map((name) => {
      const append = journal.append(note(`run/${name}`, 0, name)).then(
        (result) => result.kind,
        (error: { code: string }) => error.code,
      )
      return { append, others: crowd(journal, `${name}x`) }
    })
    await turn()
    await gated.step('lost')
    await gated.drain()
    const answers = await Promise.all(appends.map(({ append }) => append))
    expect(answers).toEqual(['journal_full', 'committed', 'committed'])
    expect(await journal.read('run/a')).toEqual([])
    expect(await valuesOf(journal, 'run/b')).toEqual(['b'])
    expectWhole(journal)
    await journal.close()
  })

  test('a disk that is full refuses whole commits, and goes on when there is room', async () => {
    const gated = openGatedJournal(root)
    const { journal, store } = gated
    const before = crowd(journal, 'before')
    await gated.drain()
    await before
    const pages = Number(store.db.prepare('PRAGMA page_count').get()?.page_count)
    store.db.exec(`PRAGMA max_page_count = ${pages + 4}`)
    const large = Array.from({ length: 100 }, (_, i) =>
      journal.append(note(`run/large-${i}`, 0, 'x'.repeat(2_000))).then(
        (result) => result.kind,
        (error: { code: string }) => error.code,
      ),
    )
    const small = journal.append(note('run/small', 0, 'small')).catch((error: { code: string }) => error.code)
    await gated.drain()
    const answers = await Promise.all(large)
    expect(answers).toContain('journal_full')
    store.db.exec('PRAGMA max_page_count = 1000000')
    const seq = (await small) === 'journal_full' ? 0 : 1
    const after = journal.append(note('run/small', seq, 'after'))
    await gated.drain()
    expect((await after).kind).toBe('committed')
    for (const [i, answer] of answers.entries())
      expect([i, (await journal.read(`run/large-${i}`)).length]).toEqual([i, answer === 'committed' ? 1 : 0])
    expect((await valuesOf(journal, 'run/small')).at(-1)).toBe('after')
    expectWhole(journal)
    await journal.close()
  })

  test('closing answers everything that was appended before, refuses the rest, and may be asked twice', async () => {
    const gated = openGatedJournal(root)
    const { journal } = gated
    const first = journal.append(note('run/a', 0, 'first'))
    const others = crowd(journal, 'x')
    await turn()
    const second = journal.append(note('run/a', 1, 'second'))
    const closing = journal.close()
    const again = journal.close()
    await expect(journal.append(note('run/a', 2, 'late'))).rejects.toMatchObject({ code: 'journal_closed' })
    await gated.drain()
    expect((await Promise.all([first, second])).map((result) => result.kind)).toEqual(['committed', 'committed'])
    await Promise.all([closing, again, others])
    const reopened = openSqliteJournal({ file: gated.store.file, ...PARTS })
    expect(await valuesOf(reopened, 'run/a')).toEqual(['first', 'second'])
    await reopened.close()
  })
})

describe('a thread that dies', () => {
  const keys = { origin: 'journal.test/log', pem: createSigningKey(), masterKey: new Uint8Array(32).fill(7) }

  test('refuses what is under way and whatever follows; what it had answered is there', async () => {
    const file = join(root, 'crashing.db')
    const partsModule = new URL('./crashing-parts.ts', import.meta.url)
    const options = { file, ...createWriterParts(keys), partsModule, partsData: { keys, crashAt: 4 } }
    const journal = await openThreadedJournal(options)
    const answers: string[] = []
    for (let seq = 0; seq < 6; seq++) {
      const answer = await journal.append(note('run/a', seq, `value ${seq}`)).then(
        (result) => result.kind,
        (error: { code: string }) => error.code,
      )
      answers.push(answer)
    }
    const [acknowledged, refused] = [answers.filter((a) => a === 'committed'), answers.filter((a) => a === 'journal_closed')]
    expect([acknowledged.length > 0, refused.length > 0, acknowledged.length + refused.length]).toEqual([true, true, 6])
    expect(answers).toEqual([...acknowledged, ...refused])
    await expect(journal.erase('run/a')).rejects.toMatchObject({ code: 'journal_closed' })
    await journal.close()
    const reopened = openSqliteJournal({ file, ...createWriterParts(keys) })
    expect(await valuesOf(reopened, 'run/a')).toEqual(acknowledged.map((_, i) => `value ${i}`))
    expectWhole(reopened)
    await reopened.close()
  })

  test('another process cannot open the same journal meanwhile, and says so', async () => {
    const file = join(root, 'locked.db')
    const partsModule = new URL('../../crypto-node/src/writer-parts.ts', import.meta.url)
    const options = { file, ...createWriterParts(keys), partsModule, partsData: keys }
    const journal = await openThreadedJournal(options)
    await expect(openThreadedJournal(options)).rejects.toMatchObject({ code: 'journal_locked' })
    await journal.close()
    const again = await openThreadedJournal(options)
    await again.close()
  })
})

describe('a record that can wait', () => {
  const waiting = (stream: string) => ({ ...note(stream, 0, stream), canWait: true })

  test('is kept back, and shares the commit of the next that cannot', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { journal, waiting: asked, step } = openGatedJournal(root)
    const patient = journal.append(waiting('run/patient'))
    await turn()
    expect(asked()).toBe(0)
    const urgent = journal.append(note('run/urgent', 0, 'urgent'))
    await turn()
    expect(asked()).toBe(1)
    vi.useRealTimers()
    await step()
    expect(await Promise.all([patient, urgent])).toMatchObject([{ kind: 'committed' }, { kind: 'committed' }])
    expectWhole(journal)
    await journal.close()
  })

  test('does not wait for ever', async () => {
    const { journal, waiting: asked, drain } = openGatedJournal(root)
    const patient = journal.append(waiting('run/patient'))
    while (asked() === 0) await turn()
    await drain()
    expect(await patient).toMatchObject({ kind: 'committed' })
    await journal.close()
  })

  test('that came behind one under way is not hurried by its end', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { journal, waiting: asked, step, drain } = openGatedJournal(root)
    const first = journal.append(note('run/first', 0, 'first'))
    await turn()
    const patient = journal.append(waiting('run/patient'))
    await turn()
    await step()
    await first
    expect(asked()).toBe(0)
    vi.advanceTimersByTime(5)
    vi.useRealTimers()
    await drain()
    expect(await patient).toMatchObject({ kind: 'committed' })
    await journal.close()
  })

  test('is written when the journal is closed, also right after it came', async () => {
    const journal = openSqliteJournal({ file: join(root, 'closing.db'), ...PARTS })
    const early = journal.append(waiting('run/early'))
    await turn()
    const late = journal.append(waiting('run/late'))
    await journal.close()
    expect(await Promise.all([early, late])).toMatchObject([{ kind: 'committed' }, { kind: 'committed' }])
  })

  test('may be refused like any other', async () => {
    const { journal, drain } = openGatedJournal(root)
    const wrong = journal.append({ ...waiting('run/wrong'), expectedSeq: 3 })
    const urgent = journal.append(note('run/urgent', 0, 'urgent'))
    await drain()
    expect(await Promise.all([wrong, urgent])).toMatchObject([{ kind: 'conflict' }, { kind: 'committed' }])
    await journal.close()
  })
})
