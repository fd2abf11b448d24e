import { join } from 'node:path'
import { createSigningKey, nodeEntropy, nodeHasher, signerOf } from '@tidegate/crypto-node'
import type { Draft } from '@tidegate/kernel'
import { JournalError } from '../src/error.ts'
import { assembleJournal, type SqliteJournal } from '../src/journal.ts'
import { openStore, type Store } from '../src/store.ts'
import { createWriter } from '../src/writer.ts'

export const PARTS = {
  hasher: nodeHasher,
  entropy: nodeEntropy,
  signer: signerOf('journal.test/log', createSigningKey()),
  masterKey: new Uint8Array(32).fill(7),
}

/** How one thing that was asked of the writer ends: as it should, or in a failure that leaves nothing. */
export type Fate = 'done' | 'lost'

/** A journal whose writer does nothing until it is told to, one thing at a time: what a thread of its own may do at any pace. */
export interface GatedJournal {
  readonly journal: SqliteJournal
  readonly store: Store
  /** How many commits and erasures the writer has been asked for and has not answered. */
  waiting(): number
  /** Lets the writer answer the oldest, and whoever asked hear of it. */
  step(fate?: Fate): Promise<void>
  /** Lets the writer answer everything, also what is asked meanwhile. */
  drain(): Promise<void>
}

/** Lets whoever waits for an answer have it, and group commits begin. */
export async function turn(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
}

let count = 0

/** Opens a journal on a new file below a directory; the real store and writer behind a gate. */
export function openGatedJournal(directory: string): GatedJournal {
  const file = join(directory, `gated-${count++}.db`)
  const store = openStore(file)
  const writer = createWriter({ store, ...PARTS })
  const asked: ((fate: Fate) => void)[] = []
  const gate = <T>(act: () => T): Promise<T> =>
    new Promise((resolve, reject) => {
      asked.push((fate) => {
        if (fate === 'lost') return reject(new JournalError('journal_full', 'lost on demand'))
        try {
          resolve(act())
        } catch (error) {
          reject(error)
        }
      })
    })
  const journal = assembleJournal(
    { file, ...PARTS },
    {
      ahead: 3,
      get head() {
        return writer.head()
      },
      write: (records) => gate(() => writer.write(records)),
      erase: (stream) => gate(() => writer.erase(stream)),
      close: () => store.close(),
    },
  )
  const step = async (fate: Fate = 'done'): Promise<void> => {
    asked.shift()?.(fate)
    await turn()
  }
  return {
    journal,
    store,
    waiting: () => asked.length,
    step,
    async drain() {
      await turn()
      while (asked.length > 0) await step()
    },
  }
}

/** A record with a sealed part. */
export function note(stream: string, expectedSeq: number, value: string): Draft {
  return { stream, expectedSeq, atMs: 1, events: [{ type: 'plan.noted', node: 'n', sealed: { value, origins: ['user'] } }] }
}

/** The sealed values of a stream, oldest first; `erased` where there is none any more. */
export async function valuesOf(journal: SqliteJournal, stream: string): Promise<readonly string[]> {
  return (await journal.read(stream)).map(({ erased, events: [event] }) =>
    erased ? 'erased' : event?.type === 'plan.noted' ? String(event.sealed.value) : 'other',
  )
}

/** Enough records of other streams that a commit of their own is worth it. */
export function crowd(journal: SqliteJournal, name: string): Promise<unknown> {
  return Promise.allSettled(Array.from({ length: 32 }, (_, i) => journal.append(note(`run/${name}-${i}`, 0, 'crowd'))))
}
