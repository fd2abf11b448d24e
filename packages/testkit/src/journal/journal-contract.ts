import type { Draft, Entry, Journal, RunHead } from '@tidegate/kernel'
import { describe, expect, test } from 'vitest'

const NOTE = { type: 'plan.noted', node: 'n', sealed: { value: 'private', origins: ['user'] } } as const
const STOP = { type: 'stop.raised', stop: 's', scope: 'global', mode: 'hold', by: 'user:op', why: 'test' } as const

function draft(stream: string, expectedSeq: number, more: Partial<Draft> = {}): Draft {
  return { stream, expectedSeq, events: [NOTE], atMs: 1_000 + expectedSeq, ...more }
}

/** A head in a given state. */
export function runHead(run: string, state: RunHead['state'], openedAtMs: number): RunHead {
  const rest = {
    failure: null,
    summary: '',
    updatedAtMs: openedAtMs,
    wakeAtMs: null,
    effects: 0,
    openApprovals: [],
    openItems: 0,
    undoes: null,
  }
  return { run, workflow: 'w', agent: 'a', state, openedAtMs, ...rest }
}

/** What every journal promises (ports/journal.ts). `open` gives a fresh, empty one; `reopen` closes it and opens the same store. */
export function describeJournalContract(
  name: string,
  setup: { open: () => Promise<Journal>; reopen: (journal: Journal) => Promise<Journal> },
): void {
  const committed = async (journal: Journal, d: Draft): Promise<Entry> => {
    const result = await journal.append(d)
    if (result.kind !== 'committed') throw new Error(`expected committed, got ${result.kind}`)
    return result.entry
  }

  describe(`journal contract: ${name}`, () => {
    test('a stream is numbered from 1, the ledger from 0, and sealed parts come back', async () => {
      const journal = await setup.open()
      const first = await committed(journal, draft('run/a', 0))
      const second = await committed(journal, draft('run/b', 0))
      expect([first.seq, first.index, second.seq, second.index]).toEqual([1, 0, 1, 1])
      expect((await journal.read('run/a'))[0]?.events).toEqual([NOTE])
      expect(await journal.read('run/none')).toEqual([])
      await journal.close()
    })

    test('a writer that is behind is told so, and nothing is written', async () => {
      const journal = await setup.open()
      await committed(journal, draft('run/a', 0))
      expect(await journal.append(draft('run/a', 0))).toEqual({ kind: 'conflict', seq: 1 })
      expect(await journal.append(draft('run/a', 7))).toEqual({ kind: 'conflict', seq: 1 })
      expect(await journal.read('run/a')).toHaveLength(1)
      await journal.close()
    })

    test('of many writers at once exactly one wins', async () => {
      const journal = await setup.open()
      const results = await Promise.all(Array.from({ length: 20 }, () => journal.append(draft('run/a', 0))))
      expect(results.filter((result) => result.kind === 'committed')).toHaveLength(1)
      expect(journal.head().size).toBe(1)
      await journal.close()
    })

    test('I7: what was decided before a stop is refused after it, also within one commit', async () => {
      const journal = await setup.open()
      const [before, stop, after] = await Promise.all([
        journal.append(draft('run/a', 0, { fence: 0 })),
        journal.append(draft('control', 0, { events: [STOP], raisesEpoch: true })),
        journal.append(draft('run/b', 0, { fence: 0 })),
      ])
      expect([before.kind, stop.kind, after]).toEqual(['committed', 'committed', { kind: 'fenced', epoch: 1 }])
      expect((await journal.append(draft('run/b', 0, { fence: 1 }))).kind).toBe('committed')
      expect(journal.head().epoch).toBe(1)
      await journal.close()
    })

    test('claims are found by how they begin, the newest run first', async () => {
      const journal = await setup.open()
      const claims = ['["desk","a.1"]', '["desk","a.2"]', '["desk","a/3"]', '["desk","a"]', '["desk","a.\u{10fffe}"]']
      for (const [n, claim] of claims.entries()) await committed(journal, draft(`run/${n}`, 0, { claim }))
      expect(await journal.claimed('["desk","a.', 10)).toEqual(['run/4', 'run/1', 'run/0'])
      expect(await journal.claimed('["desk","a.', 1)).toEqual(['run/4'])
      expect(await journal.claimed('["desk","b.', 10)).toEqual([])
      await journal.close()
    })

    test('an event is claimed once', async () => {
      const journal = await setup.open()
      await committed(journal, draft('run/a', 0, { claim: 'desk\nevent-1' }))
      expect(await journal.append(draft('run/b', 0, { claim: 'desk\nevent-1' }))).toEqual({ kind: 'claimed', stream: 'run/a' })
      expect(await journal.read('run/b')).toEqual([])
      await journal.close()
    })

    test('time never goes back', async () => {
      const journal = await setup.open()
      await committed(journal, draft('run/a', 0, { atMs: 9_000 }))
      expect((await committed(journal, draft('run/a', 1, { atMs: 5 }))).atMs).toBe(9_000)
      await journal.close()
    })

    test('lists show the newest head of each run, and open ones apart', async () => {
      const journal = await setup.open()
      await committed(journal, draft('run/a', 0, { head: runHead('a', 'running', 1) }))
      await committed(journal, draft('run/b', 0, { head: runHead('b', 'running', 2) }))
      await committed(journal, draft('run/a', 1, { head: runHead('a', 'completed', 1) }))
      expect((await journal.runs({ limit: 10 })).map((head) => head.run)).toEqual(['b', 'a'])
      expect((await journal.runs({ limit: 10, states: ['completed'] })).map((head) => head.run)).toEqual(['a'])
      expect((await journal.runs({ limit: 10, before: 'b' })).map((head) => head.run)).toEqual(['a'])
      expect((await journal.openRuns()).map((head) => head.run)).toEqual(['b'])
      await journal.close()
    })

    test('what was answered is there after a restart, and goes on where it was', async () => {
      const journal = await setup.open()
      for (let seq = 0; seq < 300; seq++) await committed(journal, draft('run/a', seq))
      await committed(journal, draft('control', 0, { events: [STOP], raisesEpoch: true }))
      const head = journal.head()
      const again = await setup.reopen(journal)
      expect(again.head()).toEqual(head)
      expect(await again.read('run/a', 298)).toHaveLength(2)
      expect((await again.append(draft('run/a', 300, { fence: 0 }))).kind).toBe('fenced')
      expect((await committed(again, draft('run/a', 300, { fence: 1 }))).index).toBe(301)
      await again.close()
    })

    test('erasing takes the sealed parts of one stream, and leaves its records', async () => {
      const journal = await setup.open()
      await committed(journal, draft('run/a', 0))
      await committed(journal, draft('run/b', 0))
      const { size, root } = journal.head()
      await journal.erase('run/a')
      const [entry] = await journal.read('run/a')
      expect([entry?.erased, JSON.stringify(entry?.events).includes('private')]).toEqual([true, false])
      expect((await journal.read('run/b'))[0]?.erased).toBe(false)
      expect(journal.head().size).toBe(size)
      if (root !== '') expect((await setup.reopen(journal)).head().size).toBe(size)
    })
  })
}
