import { parentPort, workerData } from 'node:worker_threads'
import { translate } from './error.ts'
import { openStore } from './store.ts'
import { createWriter, type Placement, type Writer, type WriterParts } from './writer.ts'
import { packCommitted, unpackRecords } from './wire.ts'
import type { PlainError, PlainPlacement, Question, Reply, ThreadData } from './writer-thread.ts'

/**
 * The thread that writes a journal. Questions are answered one by one, in order.
 *
 * If the process dies in here, the same holds as everywhere: what was answered is durable, the rest is not there.
 */
const { file, partsModule, partsData } = workerData as ThreadData // posted by startWriterThread

const reply = (message: Reply): void => parentPort?.postMessage(message)

try {
  const made = (await import(partsModule)) as { createWriterParts: (data: unknown) => Omit<WriterParts, 'store'> } // named by the composition root
  const store = openStore(file)
  const writer = createWriter({ store, ...made.createWriterParts(partsData) })
  parentPort?.on('message', (question: Question) => {
    try {
      if (question.kind === 'write') reply(writeAll(writer, question.cells))
      else if (question.kind === 'erase') {
        writer.erase(question.stream)
        reply({ kind: 'done' })
      } else {
        store.close()
        reply({ kind: 'done' })
        parentPort?.close()
      }
    } catch (error) {
      reply({ kind: 'refused', error: plain(error) })
    }
  })
  reply({ kind: 'ready', head: writer.head() })
} catch (error) {
  reply({ kind: 'refused', error: plain(error) })
}

function writeAll(writer: Writer, cells: Extract<Question, { kind: 'write' }>['cells']): Reply {
  const placements = writer.write(unpackRecords(cells))
  const committed = packCommitted(placements)
  const head = writer.head()
  return committed === undefined
    ? { kind: 'written', placements: placements.map(plainPlacement), head }
    : { kind: 'committed', cells: committed, head }
}

function plainPlacement(placement: Placement): PlainPlacement {
  return placement.kind === 'failed' ? { kind: 'failed', error: plain(placement.error) } : placement
}

function plain(error: unknown): PlainError {
  const { code, message } = translate(error, file)
  return { code, message }
}
