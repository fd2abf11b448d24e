import type { AppendResult, Draft } from '@tidegate/kernel'
import { JournalError } from './error.ts'
import { answerOf, recordOf } from './record.ts'
import type { Sealer } from './sealer.ts'
import type { Placement, Record } from './writer.ts'

interface Waiting {
  readonly draft: Draft
  readonly record: Record
  readonly resolve: (result: AppendResult) => void
  readonly reject: (error: unknown) => void
}

/** How many records one commit takes at most: bounds the pause it makes. */
const BATCH = 1_024
/** So many waiting records are worth a commit of their own while others are still being made. */
const EAGER = 32
/** A record that can wait is kept back so long for company. */
const COMPANY_MS = 5

/** Collects what is appended while commits are under way, and writes it with the next one. */
export interface GroupCommit {
  append(draft: Draft): Promise<AppendResult>
  /** Waits until everything that was appended has been answered; appends nothing more. */
  close(): Promise<void>
}

/**
 * Creates a group commit over a writer: everything that waits goes into one transaction.
 *
 * `ahead` is how many commits may be under way at once; they are answered in order. One for a writer in this thread; more let this
 * thread make records while the other writes, and keep both from waiting for each other.
 */
export function createGroupCommit(
  write: (records: readonly Record[]) => readonly Placement[] | Promise<readonly Placement[]>,
  { ahead, sealer }: { ahead: number; sealer: Sealer },
): GroupCommit {
  let queue: Waiting[] = []
  let underWay = 0
  let scheduled = false
  /** Drafts that can wait, and are not records yet. */
  let coming = 0
  let company: NodeJS.Timeout | undefined
  let closed = false
  let onIdle: (() => void) | undefined

  /** Whoever appends in this turn of the loop comes along, unless enough of them wait already. */
  function schedule(): void {
    if (underWay < ahead && queue.length >= EAGER) void writeNext()
    else if (!scheduled && underWay === 0) {
      scheduled = true
      setImmediate(() => {
        scheduled = false
        if (underWay === 0) void writeNext()
      })
    }
  }

  /** Whatever is written next takes along what waits for company. */
  function waitForCompany(): void {
    if (closed) schedule()
    else company ??= setTimeout(schedule, COMPANY_MS)
  }

  async function writeNext(): Promise<void> {
    clearTimeout(company)
    company = undefined
    const batch = queue.length <= BATCH ? queue : queue.slice(0, BATCH)
    queue = queue.length <= BATCH ? [] : queue.slice(BATCH)
    if (batch.length > 0) {
      underWay += 1
      await writeBatch(batch)
      underWay -= 1
    }
    if (queue.some(({ draft }) => draft.canWait !== true)) schedule()
    else if (queue.length > 0) waitForCompany()
    else if (isIdle()) onIdle?.()
  }

  function isIdle(): boolean {
    return queue.length === 0 && coming === 0 && underWay === 0
  }

  async function writeBatch(batch: readonly Waiting[]): Promise<void> {
    try {
      const written = write(batch.map((waiting) => waiting.record))
      const placements = Array.isArray(written) ? written : await written
      for (const [i, waiting] of batch.entries()) settle(waiting, placements[i])
    } catch (error) {
      for (const { draft, record, reject } of batch) {
        if (record.sealed !== null) sealer.settle(draft.stream, record.sealed, false)
        reject(error)
      }
    }
  }

  function settle({ draft, record, resolve, reject }: Waiting, placement: Placement | undefined): void {
    if (record.sealed !== null) sealer.settle(draft.stream, record.sealed, placement?.kind === 'committed')
    try {
      if (placement === undefined) throw new JournalError('journal_closed', 'The journal did not answer.')
      resolve(answerOf(draft, placement))
    } catch (error) {
      reject(error)
    }
  }

  return {
    append(draft) {
      if (closed) return Promise.reject(new JournalError('journal_closed', 'The journal is closed.'))
      return new Promise((resolve, reject) => {
        if (draft.canWait !== true) {
          queue.push({ draft, record: recordOf(draft, sealer), resolve, reject })
          schedule()
          return
        }
        coming += 1
        setImmediate(() => {
          coming -= 1
          try {
            queue.push({ draft, record: recordOf(draft, sealer), resolve, reject })
          } catch (error) {
            reject(error)
          }
          waitForCompany()
        })
      })
    },
    async close() {
      closed = true
      if (isIdle()) return
      if (queue.length > 0) schedule()
      await new Promise<void>((resolve) => {
        onIdle = resolve
      })
    },
  }
}
