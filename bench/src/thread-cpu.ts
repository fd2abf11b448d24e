import { readdirSync, readFileSync } from 'node:fs'

/** Processor time in microseconds by what a thread does: `main`, `writer` (our worker threads), `v8` (its helpers), `other`. */
export type ThreadMicros = Readonly<Record<'main' | 'writer' | 'v8' | 'other', number>>

/**
 * Reads the processor time that each thread of this process has used so far. It tells which of them is the narrow place, and suffers far
 * less from neighbours than the clock on the wall. Undefined elsewhere than on Linux.
 */
export function readThreadMicros(): ThreadMicros | undefined {
  if (process.platform !== 'linux') return undefined
  const used = { main: 0, writer: 0, v8: 0, other: 0 }
  for (const id of readdirSync('/proc/self/task')) {
    try {
      const name = Number(id) === process.pid ? 'main' : kindOf(readFileSync(`/proc/self/task/${id}/comm`, 'utf8'))
      used[name] += Number(readFileSync(`/proc/self/task/${id}/schedstat`, 'utf8').split(' ')[0]) / 1_000 // nanoseconds on the processor
    } catch {
      // a thread that has ended since it was listed
    }
  }
  return used
}

/** The names that Node gives its threads. */
function kindOf(comm: string): keyof ThreadMicros {
  if (comm.startsWith('WorkerThread')) return 'writer'
  return comm.startsWith('V8Worker') ? 'v8' : 'other'
}

/** What each kind of thread used per action, in microseconds with one digit. */
export function microsPerAction(before: ThreadMicros, after: ThreadMicros, actions: number): ThreadMicros {
  const per = (kind: keyof ThreadMicros): number => Math.round(((after[kind] - before[kind]) / Math.max(1, actions)) * 10) / 10
  return { main: per('main'), writer: per('writer'), v8: per('v8'), other: per('other') }
}
