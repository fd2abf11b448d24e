import type { WireRunDetail, WireStopReport } from '@tidegate/protocol'
import type { DeskCall } from '../process/start-desk.ts'

/** What was seen while a stop was in force. */
interface Seen {
  readonly details: readonly Pick<WireRunDetail, 'actions'>[]
  readonly calls: readonly Pick<DeskCall, 'atMs' | 'reference'>[]
}

/** The stop, and when its answer was here, on the clock that the desk has too. */
interface Stopped {
  readonly report: Pick<WireStopReport, 'stop' | 'running'>
  readonly acknowledgedAtMs: number
}

/**
 * Counts what started after a stop over everything, twice and independently: actions by the records of all runs, on the journal's
 * time; and calls by the desk's own memory, of runs that had nothing under way. Both must be 0 (I7).
 */
export function countAfterStop(
  { details, calls }: Seen,
  { report, acknowledgedAtMs }: Stopped,
): { readonly records: number; readonly desk: number } {
  const known = new Set(report.running.map(({ run }) => run))
  const started = details.flatMap(({ actions }) => actions).filter(({ startedAtMs }) => startedAtMs > report.stop.atMs)
  const late = calls.filter(({ atMs, reference }) => atMs > acknowledgedAtMs && !known.has(reference.split('.')[0] ?? ''))
  return { records: started.length, desk: late.length }
}
