import { BenchError } from '../error.ts'
import { quantile, round } from '../load.ts'

/** How long commands took, wall clock. */
export interface Latency {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly minMs: number
  readonly commands: number
}

export interface ExecFigures {
  /** One command directly after the other. */
  readonly backToBack: Latency
  /** With a pause before each command, as when a model or a disk takes its time. */
  readonly paced: Latency
}

/** Sums up what was measured, in milliseconds. */
export function summariseExec(samples: {
  readonly backToBack: readonly number[]
  readonly paced: readonly number[]
}): ExecFigures {
  return { backToBack: summarise(samples.backToBack), paced: summarise(samples.paced) }
}

function summarise(samples: readonly number[]): Latency {
  const sorted = samples.toSorted((left, right) => left - right)
  return {
    p50Ms: round(quantile(sorted, 0.5), 3),
    p99Ms: round(quantile(sorted, 0.99), 3),
    minMs: round(sorted[0] ?? 0, 3),
    commands: sorted.length,
  }
}

/** Parses the line that the peer prints: figures, or why there are none. It comes from a child that runs third-party code. */
export function parseExecLine(line: string): ExecFigures | { readonly skipped: string } {
  const value = parseRecord(line)
  if (typeof value.skipped === 'string') return { skipped: value.skipped.slice(0, 500) }
  return { backToBack: parseLatency(value.backToBack), paced: parseLatency(value.paced) }
}

function parseRecord(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line)
    // Sound: any object can be looked at member by member.
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch (cause) {
    throw new BenchError('report_invalid', 'the last line a contender prints must be JSON', { cause })
  }
  throw new BenchError('report_invalid', 'a contender must report one JSON object')
}

function parseLatency(value: unknown): Latency {
  if (typeof value === 'object' && value !== null) {
    const { p50Ms, p99Ms, minMs, commands } = value as Record<string, unknown>
    if (isFigure(p50Ms) && isFigure(p99Ms) && isFigure(minMs) && isFigure(commands)) return { p50Ms, p99Ms, minMs, commands }
  }
  throw new BenchError('report_invalid', 'a contender must report p50Ms, p99Ms, minMs and commands')
}

function isFigure(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}
