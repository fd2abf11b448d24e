import { Worker } from 'node:worker_threads'
import type { ScriptRequest, ScriptResult } from './run-script.ts'

/** Runs scripts one after the other in a thread of its own. */
export interface ScriptThread {
  run(request: ScriptRequest): Promise<ScriptResult>
  close(): Promise<void>
}

/** How long past its time a script may keep the thread before the thread is ended: the engine looks at the clock only now and then. */
const GRACE_MS = 500
/** Of the thread as a whole, module and copies of texts included. */
const THREAD_MEGABYTES = 512

/** Creates the thread when it is first needed; one that hangs or breaks is replaced by a new one. */
export function createScriptThread(): ScriptThread {
  let worker: Worker | undefined
  let last: Promise<unknown> = Promise.resolve()
  let next = 0

  async function runNow(request: ScriptRequest): Promise<ScriptResult> {
    worker ??= new Worker(new URL('./script-thread-main.ts', import.meta.url), {
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: THREAD_MEGABYTES },
    })
    const thread = worker
    const id = next++
    const { promise, resolve } = Promise.withResolvers<ScriptResult>()
    const end = (because: 'time' | 'memory'): void => {
      worker = undefined
      void thread.terminate()
      resolve({ kind: 'stopped', because })
    }
    const timer = setTimeout(() => end('time'), request.timeoutMs + GRACE_MS)
    const broken = (): void => end('memory')
    const answered = (message: { id: number; result: ScriptResult }): void => {
      if (message.id === id) resolve(message.result)
    }
    thread.on('message', answered).once('error', broken).once('exit', broken)
    thread.ref()
    thread.postMessage({ id, request })
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      thread.off('message', answered).off('error', broken).off('exit', broken)
      thread.unref()
    }
  }

  return {
    run(request) {
      const running = last.then(() => runNow(request))
      last = running.catch(() => undefined)
      return running
    },
    async close() {
      const ending = worker
      worker = undefined
      await ending?.terminate()
    },
  }
}
