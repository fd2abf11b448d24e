import { Worker } from 'node:worker_threads'
import type { LedgerHead } from '@tidegate/kernel'
import { JournalError, type JournalErrorCode } from './error.ts'
import { type Cell, packRecords, unpackCommitted } from './wire.ts'
import type { WriterPort } from './writer-port.ts'
import type { Placement } from './writer.ts'

/** What the thread is started with. */
export interface ThreadData {
  readonly file: string
  readonly partsModule: string
  readonly partsData: unknown
}

/** What is asked of the thread. */
export type Question =
  | { readonly kind: 'write'; readonly cells: readonly Cell[] }
  | { readonly kind: 'erase'; readonly stream: string }
  | { readonly kind: 'close' }

/** An error as it crosses between threads. */
export interface PlainError {
  readonly code: JournalErrorCode
  readonly message: string
}

/** A placement as it crosses between threads: an error loses its class on the way. */
export type PlainPlacement = Exclude<Placement, { kind: 'failed' }> | { readonly kind: 'failed'; readonly error: PlainError }

/** What the thread answers, in the order of the questions. */
export type Reply =
  | { readonly kind: 'ready'; readonly head: LedgerHead }
  | { readonly kind: 'committed'; readonly cells: readonly number[]; readonly head: LedgerHead }
  | { readonly kind: 'written'; readonly placements: readonly PlainPlacement[]; readonly head: LedgerHead }
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly error: PlainError }

interface Asking {
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: JournalError) => void
}

/** Room for what a commit leaves behind at once: with Node's default the thread sweeps up after every few commits, beside the other one. */
const YOUNG_MB = 64

/** Starts the thread and waits until it holds the journal. @throws JournalError as opening the store does. */
export async function startWriterThread(data: ThreadData): Promise<WriterPort> {
  const worker = new Worker(new URL('./writer-thread-main.ts', import.meta.url), {
    workerData: data,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  })
  const asking: Asking[] = []
  let dead: JournalError | undefined

  const die = (message: string): void => {
    dead ??= new JournalError('journal_closed', message)
    for (const { reject } of asking.splice(0)) reject(dead)
  }
  worker.on('message', (reply: Reply) => {
    const next = asking.shift()
    if (reply.kind === 'refused') next?.reject(errorOf(reply.error))
    else next?.resolve(reply)
  })
  worker.on('error', (error) => die(`The thread that writes the journal broke: ${error.message}`))
  worker.on('exit', () => die('The journal is closed.'))

  const wait = (): Promise<Reply> =>
    dead === undefined ? new Promise((resolve, reject) => asking.push({ resolve, reject })) : Promise.reject(dead)
  const ask = (question: Question): Promise<Reply> => {
    const reply = wait()
    worker.postMessage(question)
    return reply
  }

  const ready = await wait()
  let head = headOf(ready)
  return {
    ahead: 3,
    get head() {
      return head
    },
    async write(records) {
      const reply = await ask({ kind: 'write', cells: packRecords(records) })
      head = headOf(reply)
      if (reply.kind === 'committed') return unpackCommitted(reply.cells)
      return reply.kind === 'written' ? reply.placements.map(placementOf) : []
    },
    async erase(stream) {
      await ask({ kind: 'erase', stream })
    },
    async close() {
      try {
        if (dead === undefined) await ask({ kind: 'close' })
      } finally {
        await worker.terminate()
      }
    },
  }
}

function headOf(reply: Reply): LedgerHead {
  if (reply.kind === 'ready' || reply.kind === 'committed' || reply.kind === 'written') return reply.head
  throw new JournalError('journal_closed', 'The thread that writes the journal answered out of turn.')
}

function placementOf(placement: PlainPlacement): Placement {
  return placement.kind === 'failed' ? { kind: 'failed', error: errorOf(placement.error) } : placement
}

function errorOf({ code, message }: PlainError): JournalError {
  return new JournalError(code, message)
}
