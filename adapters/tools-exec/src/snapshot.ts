import { Worker } from 'node:worker_threads'
import type { Change, SnapshotLimits } from './snapshot-store.ts'
import type { SnapshotQuestion } from './snapshot-thread-main.ts'

/** States of one workspace, kept so that what a command did can be taken back. */
export interface Snapshots {
  /** Keeps the workspace as it is; answers the name of this state. */
  take(): Promise<string>
  diff(before: string, after: string): Promise<readonly Change[]>
  /** Puts back what changed from one state to another, but for what was changed again since. */
  restore(before: string, after: string): Promise<{ readonly restored: number; readonly conflicts: readonly string[] }>
  close(): Promise<void>
}

/** Thrown when a state cannot be kept; the message is for people. */
export class SnapshotError extends Error {
  readonly code: 'too_large' | 'failed'

  constructor(code: SnapshotError['code'], message: string) {
    super(message)
    this.name = 'SnapshotError'
    this.code = code
  }
}

export const DEFAULT_SNAPSHOT_LIMITS: SnapshotLimits = {
  files: 100_000,
  bytes: 1_073_741_824,
  exclude: ['node_modules', '.venv', '__pycache__'],
}

type Question = SnapshotQuestion extends infer Q ? (Q extends { id: number } ? Omit<Q, 'id'> : never) : never
interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** Keeps states in a thread of its own: a large workspace takes a while to look through. */
export function createSnapshots(options: {
  readonly workspace: string
  readonly directory: string
  readonly limits: SnapshotLimits
}): Snapshots {
  const waiting = new Map<number, Waiting>()
  let thread: Worker | undefined
  let next = 0

  function start(): Worker {
    const worker = new Worker(new URL('./snapshot-thread-main.ts', import.meta.url), { workerData: options })
    worker.unref()
    worker.on('message', ({ id, ok, value, tooLarge, message }) => {
      const asked = waiting.get(id)
      waiting.delete(id)
      if (ok === true) asked?.resolve(value)
      else asked?.reject(new SnapshotError(tooLarge === true ? 'too_large' : 'failed', message))
    })
    const fail = (): void => {
      thread = undefined
      for (const { reject } of waiting.values()) reject(new SnapshotError('failed', 'the states of the workspace cannot be kept'))
      waiting.clear()
    }
    worker.on('error', fail)
    worker.on('exit', fail)
    return worker
  }

  function ask<T>(question: Question): Promise<T> {
    thread ??= start()
    const id = next++
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    // Sound: the thread answers each kind of question with its kind of value.
    waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
    thread.ref()
    thread.postMessage({ ...question, id })
    return promise.finally(() => {
      if (waiting.size === 0) thread?.unref()
    })
  }

  return {
    take: () => ask({ ask: 'take' }),
    diff: (before, after) => ask({ ask: 'diff', before, after }),
    restore: (before, after) => ask({ ask: 'restore', before, after }),
    async close() {
      const ending = thread
      thread = undefined
      await ending?.terminate()
    },
  }
}
