import {
  createVerifierKey,
  encodeVerifierKey,
  type Entropy,
  type Hasher,
  type Journal,
  type LedgerReader,
  type Signer,
} from '@tidegate/kernel'
import { translate } from './error.ts'
import { createGroupCommit } from './group-commit.ts'
import { createLedgerReader } from './ledger-reader.ts'
import { openReader } from './reader.ts'
import { createSealer } from './sealer.ts'
import { openStore } from './store.ts'
import type { WriterPort } from './writer-port.ts'
import { createWriter } from './writer.ts'
import { startWriterThread } from './writer-thread.ts'

/** What a journal is made of. */
export interface SqliteJournalOptions {
  readonly hasher: Hasher
  readonly signer: Signer
  readonly entropy: Entropy
  /** 32 bytes; wraps the key of every stream. */
  readonly masterKey: Uint8Array
  /** Path of the database file; `<file>.lock` beside it is held while the journal is open. */
  readonly file: string
}

/** How many streams are read in one go. */
const READS = 64

/** A journal on a file, which is at the same time the ledger. */
export interface SqliteJournal extends Journal {
  readonly ledger: LedgerReader
}

/** A writer that runs in a thread of its own, and so makes its parts there. */
export interface ThreadedJournalOptions extends SqliteJournalOptions {
  /** A module that exports `createWriterParts(data)`, which makes the same parts again in the other thread. */
  readonly partsModule: URL
  /** What `createWriterParts` gets: plain data. It may hold keys; it never leaves the process. */
  readonly partsData: unknown
}

/**
 * Opens the journal of one process on one SQLite file (WAL, synchronous FULL, group commit over everything in flight), written in
 * this thread: the shortest way for one action at a time.
 *
 * @throws JournalError `journal_locked` when another process has it, and as {@link openStore} does.
 */
export function openSqliteJournal(options: SqliteJournalOptions): SqliteJournal {
  const { file, hasher, entropy, signer } = options
  const store = openStore(file)
  try {
    const writer = createWriter({ store, hasher, entropy, signer })
    const port: WriterPort = {
      ahead: 1,
      get head() {
        return writer.head()
      },
      write: writer.write,
      erase: writer.erase,
      close: () => store.close(),
    }
    return assembleJournal(options, port)
  } catch (error) {
    store.close()
    throw translate(error, file)
  }
}

/**
 * Opens the same journal with its writer in a thread of its own: hashing, signing and the wait for the disk leave this thread free, and
 * the keys of the streams stay in it. One process has one; the promises are the same.
 *
 * @throws JournalError as {@link openSqliteJournal} does.
 */
export async function openThreadedJournal(options: ThreadedJournalOptions): Promise<SqliteJournal> {
  const { file, partsModule, partsData } = options
  const port = await startWriterThread({ file, partsModule: partsModule.href, partsData })
  try {
    return assembleJournal(options, port)
  } catch (error) {
    await port.close()
    throw error
  }
}

/** Puts a journal together over whoever writes it. */
export function assembleJournal(
  { file, hasher, signer, entropy, masterKey }: SqliteJournalOptions,
  port: WriterPort,
): SqliteJournal {
  const reader = openReader(file, masterKey)
  const sealer = createSealer({ masterKey, entropy, findWrappedKey: reader.findWrappedKey })
  const commits = createGroupCommit(port.write, { ahead: port.ahead, sealer })
  let reads = 0
  let closing: Promise<void> | undefined
  const ledger = createLedgerReader(reader.db, { hasher, head: () => port.head, verifierKey: verifierKeyOf(hasher, signer) })
  async function close(): Promise<void> {
    await commits.close()
    reader.close()
    await port.close()
  }

  return {
    ledger,
    append: commits.append,
    head: () => port.head,
    async read(stream, afterSeq = 0) {
      reads += 1
      if (reads % READS === 0) await new Promise((resolve) => setImmediate(resolve)) // others get a turn
      return reader.read(stream, afterSeq)
    },
    runs: async (query) => reader.runs(query),
    openRuns: async () => reader.openRuns(),
    claimed: async (prefix, limit) => reader.claimed(prefix, limit),
    async erase(stream) {
      try {
        await port.erase(stream)
      } finally {
        sealer.forget(stream) // also when it failed halfway: the store knows which key there is
      }
    },
    close() {
      closing ??= close()
      return closing
    },
  }
}

function verifierKeyOf(hasher: Hasher, { name, publicKey }: Signer): string {
  return encodeVerifierKey(createVerifierKey(hasher, { name, algorithm: 'ed25519', publicKey }))
}
