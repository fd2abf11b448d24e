import { parentPort, workerData } from 'node:worker_threads'
import { createSnapshotStore, type SnapshotLimits, TooLarge } from './snapshot-store.ts'

/** What the thread is asked; answered in order. */
export type SnapshotQuestion =
  | { readonly id: number; readonly ask: 'take' }
  | { readonly id: number; readonly ask: 'diff' | 'restore'; readonly before: string; readonly after: string }

const data = workerData as { workspace: string; directory: string; limits: SnapshotLimits } // given by snapshot.ts
const store = createSnapshotStore(data.workspace, data.directory, data.limits)

parentPort?.on('message', (question: SnapshotQuestion) => {
  parentPort?.postMessage({ id: question.id, ...answer(question) })
})

function answer(question: SnapshotQuestion): object {
  try {
    if (question.ask === 'take') return { ok: true, value: store.take() }
    const { ask, before, after } = question
    return { ok: true, value: ask === 'diff' ? store.diff(before, after) : store.restore(before, after) }
  } catch (error) {
    const message = error instanceof Error ? error.message : 'unknown'
    return { ok: false, tooLarge: error instanceof TooLarge, message }
  }
}
