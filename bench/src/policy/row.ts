import { BenchError } from '../error.ts'
import type { Failed, Skipped } from '../report-line.ts'

/** What one engine did with one set of policies. */
export interface PolicyRow {
  readonly name: string
  readonly version: string
  readonly notes: string
  /** Policies in the set. */
  readonly policies: number
  /** Decisions over the processor time, user and system, of the child that made them; the best of several rounds. */
  readonly perCpuSecond: number
  /** Median in microseconds of wall clock, over batches of at least 20 microseconds where a decision is shorter. */
  readonly p50Us: number
  /** 99th percentile of decisions that were timed one by one, the clock included. */
  readonly p99Us: number
  /** How many decisions these figures stand on. */
  readonly decisions: number
  /** From the rules as plain data to the first decision, in the engine's own language, parsed and checked as it does. */
  readonly loadMs: number
  /** Growth of the resident set by loading, after a collection. */
  readonly memoryMb: number
  /** The whole child at its end: Node, the engine's library and the set. */
  readonly rssMb: number
  /** Random requests whose answers were compared with the reference. */
  readonly checked: number
  /** Answers that were not the reference's. A row with any is worthless and says so. */
  readonly mismatches: number
  /** True if the engine names every rule that restricts, so that these were compared too. */
  readonly explained: boolean
}

export type PolicyReport = PolicyRow | (Skipped & Sized) | (Failed & Sized)

/** Which set a report is about. */
interface Sized {
  readonly policies: number
}

const TEXTS = ['version', 'notes'] as const
const NUMBERS = [
  'policies',
  'perCpuSecond',
  'p50Us',
  'p99Us',
  'decisions',
  'loadMs',
  'memoryMb',
  'rssMb',
  'checked',
  'mismatches',
] as const
const TEXT_LIMIT = 2_000

export function isPolicyRow(report: PolicyReport): report is PolicyRow {
  return 'perCpuSecond' in report
}

/**
 * Parses the one JSON line that a child prints, or throws `report_invalid`. The line comes from a child that runs third-party
 * engines: unknown keys are dropped, texts are bounded, numbers are finite and not negative.
 */
export function parsePolicyLine(line: string, name: string): PolicyRow | Skipped {
  const source = parseObject(line)
  if (source.skipped !== undefined) return { name, skipped: text(source, 'skipped') }
  const texts = Object.fromEntries(TEXTS.map((key) => [key, text(source, key)])) as Record<(typeof TEXTS)[number], string>
  const numbers = Object.fromEntries(NUMBERS.map((key) => [key, quantity(source, key)])) as Record<
    (typeof NUMBERS)[number],
    number
  >
  return { name, ...texts, ...numbers, explained: source.explained === true }
}

function parseObject(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch (cause) {
    throw new BenchError('report_invalid', 'the last line that an engine prints must be JSON', { cause })
  }
  throw new BenchError('report_invalid', 'an engine must report one JSON object')
}

function text(source: Record<string, unknown>, key: string): string {
  const value = source[key]
  if (typeof value === 'string' && value.length <= TEXT_LIMIT) return value
  throw new BenchError('report_invalid', `"${key}" must be a text of at most ${TEXT_LIMIT} characters`)
}

function quantity(source: Record<string, unknown>, key: string): number {
  const value = source[key]
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value
  throw new BenchError('report_invalid', `"${key}" must be a number, finite and not negative`)
}
