import { BenchError } from './error.ts'

/** What one contender achieved. One action is two durable steps around an effect that does nothing. */
export interface Measurement {
  readonly name: string
  readonly version: string
  readonly inFlight: number
  /** Actions completed inside the measured window. */
  readonly actions: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** User and system time of the whole process tree (engine, database, client) over the actions of the window. */
  readonly cpuSecondsPerAction: number
  /** Memory of the whole process tree at the end of the window, shared pages counted once. */
  readonly rssMb: number
  /** `fsync` if an action counts only after the disk has confirmed both steps, else `no: ` and the reason. */
  readonly durable: string
  readonly notes: string
}

/** A contender that could not take part, and what a person can do about it. Never an error. */
export interface Skipped {
  readonly name: string
  readonly skipped: string
}

/** A contender that started and broke. The whole benchmark then exits with 1. */
export interface Failed {
  readonly name: string
  readonly failed: string
}

export type Report = Measurement | Skipped | Failed

const TEXTS = ['name', 'version', 'durable', 'notes'] as const
const NUMBERS = ['inFlight', 'actions', 'perSecond', 'p50Ms', 'p99Ms', 'cpuSecondsPerAction', 'rssMb'] as const
const TEXT_LIMIT = 2_000

export function isMeasurement(report: Report): report is Measurement {
  return 'perSecond' in report
}

export function isSkipped(report: Report): report is Skipped {
  return 'skipped' in report
}

/**
 * Parses the one JSON line that a contender prints, or throws `report_invalid`. The line comes from a child that runs third-party
 * engines: unknown keys are dropped, texts are bounded, numbers are finite and not negative.
 */
export function parseReportLine(line: string): Measurement | Skipped {
  const source = parseObject(line)
  if (source.skipped !== undefined) return { name: text(source, 'name'), skipped: text(source, 'skipped') }
  const texts = Object.fromEntries(TEXTS.map((key) => [key, text(source, key)])) as Record<(typeof TEXTS)[number], string>
  const numbers = Object.fromEntries(NUMBERS.map((key) => [key, quantity(source, key)])) as Record<
    (typeof NUMBERS)[number],
    number
  >
  if (texts.durable !== 'fsync' && !texts.durable.startsWith('no: ')) {
    throw new BenchError('report_invalid', '"durable" must be "fsync" or start with "no: "')
  }
  return { ...texts, ...numbers }
}

function parseObject(line: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    throw new BenchError('report_invalid', 'the last line a contender prints must be JSON', { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BenchError('report_invalid', 'a contender must report one JSON object')
  }
  return value as Record<string, unknown>
}

function text(source: Record<string, unknown>, key: string): string {
  const value = source[key]
  if (typeof value !== 'string' || value.length > TEXT_LIMIT) {
    throw new BenchError('report_invalid', `"${key}" must be a text of at most ${TEXT_LIMIT} characters`)
  }
  return value
}

function quantity(source: Record<string, unknown>, key: string): number {
  const value = source[key]
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
    throw new BenchError('report_invalid', `"${key}" must be a number, finite and not negative`)
  }
  return value
}
