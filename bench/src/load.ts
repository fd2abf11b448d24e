import { treeCpuSeconds, treeMemoryMb } from './process-tree.ts'

/** How much is asked of a contender. */
export interface Load {
  /** The measured window closes after so many actions at the latest. */
  readonly actions: number
  /** Runs under way at once; each has one action in flight. */
  readonly inFlight: number
  /** The measured window closes after so many seconds at the latest. */
  readonly seconds: number
  /** Actions in one run (workflow, thread): spreads the cost that an engine has for starting and finishing a run. */
  readonly actionsPerRun: number
}

/** What happened between the opening and the closing of the measured window. */
export interface Window {
  readonly actions: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cpuSecondsPerAction: number
  readonly rssMb: number
}

/** Performs `actions` governed actions one after the other and calls `finished` with the latency of each. */
export type Run = (runId: string, actions: number, finished: (latencyMs: number) => void) => Promise<void>

/**
 * Drives one contender with `inFlight` runs under way at any moment and measures a window of it.
 *
 * One round of runs warms up and is not counted. The window closes before the lanes run dry, so a slow tail with fewer runs in
 * flight flatters nobody and hurts nobody. The first run that rejects ends the measurement.
 */
export async function drive(load: Load, run: Run): Promise<Window> {
  const ignore = (): void => {}
  await Promise.all(Array.from({ length: load.inFlight }, (_, lane) => run(`warm-${lane}`, load.actionsPerRun, ignore)))
  const latenciesMs: number[] = []
  const cpuSecondsBefore = treeCpuSeconds(process.pid)
  const openedMs = performance.now()
  const closesMs = openedMs + load.seconds * 1_000
  let closed: { atMs: number; cpuSeconds: number; rssMb: number } | undefined
  const close = (): void => {
    if (closed !== undefined) return
    const atMs = performance.now()
    closed = { atMs, cpuSeconds: treeCpuSeconds(process.pid), rssMb: treeMemoryMb(process.pid) }
  }
  const finished = (latencyMs: number): void => {
    if (closed !== undefined) return
    latenciesMs.push(latencyMs)
    if (latenciesMs.length >= load.actions || performance.now() >= closesMs) close()
  }
  let next = 0
  const lane = async (): Promise<void> => {
    while (closed === undefined) {
      next += 1
      await run(`run-${next}`, load.actionsPerRun, finished)
    }
  }
  await Promise.all(Array.from({ length: load.inFlight }, lane))
  close()
  return summarise(latenciesMs, openedMs, cpuSecondsBefore, closed)
}

function summarise(
  latenciesMs: readonly number[],
  openedMs: number,
  cpuSecondsBefore: number,
  closed: { atMs: number; cpuSeconds: number; rssMb: number } | undefined,
): Window {
  const sorted = latenciesMs.toSorted((left, right) => left - right)
  const actions = sorted.length
  const seconds = ((closed?.atMs ?? openedMs) - openedMs) / 1_000
  return {
    actions,
    perSecond: seconds > 0 ? round(actions / seconds, 1) : 0,
    p50Ms: round(quantile(sorted, 0.5), 3),
    p99Ms: round(quantile(sorted, 0.99), 3),
    cpuSecondsPerAction: actions > 0 ? round(((closed?.cpuSeconds ?? cpuSecondsBefore) - cpuSecondsBefore) / actions, 7) : 0,
    rssMb: round(closed?.rssMb ?? 0, 1),
  }
}

/** The value below which a share `q` of the ascending list lies (nearest rank); 0 for an empty list. */
export function quantile(sorted: readonly number[], q: number): number {
  if (sorted.length === 0) return 0
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? 0
}

export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
