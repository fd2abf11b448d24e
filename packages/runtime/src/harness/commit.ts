import type { RunEvent, RunState } from '@tidegate/kernel'
import type { HarnessParts } from './parts.ts'
import { add, flush, startProgress } from './progress.ts'

/** Makes one record of a run durable that stands still; answers the run as it then is, or `conflict`. */
export async function commit(
  parts: Pick<HarnessParts, 'journal' | 'clock'>,
  state: RunState,
  events: readonly RunEvent[],
): Promise<RunState | 'conflict'> {
  const flushed = await flush(parts, add(parts, startProgress(state), events))
  return flushed.kind === 'durable' ? flushed.progress.durable : 'conflict'
}
