import { align } from '../table.ts'
import type { PolicyResult } from './compare.ts'
import { isPolicyRow, type PolicyReport, type PolicyRow } from './row.ts'

const HEADER = ['engine', 'policies', 'decisions/CPU-s', 'p50 us', 'p99 us', 'load ms', 'load MB', 'MB', 'wrong', 'ours / it']

/** Renders a result for people: the sets one after the other, then what a fair reading needs. */
export function renderPolicyTable(result: PolicyResult): string {
  const { machine } = result
  const rows = result.rows.filter(isPolicyRow)
  const notes = new Map(rows.map((row) => [row.name, `${row.name}: ${row.version}; ${row.notes}`]))
  return [
    `${machine.cores} cores, ${machine.cpu}, Node ${machine.node}, load ${machine.loadBefore} before, clock ${result.timerUs} us`,
    '',
    ...align([HEADER, ...rows.map((row) => cellsOf(row, result))]),
    '',
    ...notes.values(),
    ...result.rows.flatMap(complaintOf),
  ].join('\n')
}

function cellsOf(row: PolicyRow, { ratio }: PolicyResult): string[] {
  const times = ratio[row.name]?.[row.policies]
  return [
    row.name,
    String(row.policies),
    String(row.perCpuSecond),
    microseconds(row.p50Us),
    microseconds(row.p99Us),
    row.loadMs.toFixed(1),
    row.memoryMb.toFixed(0),
    row.rssMb.toFixed(0),
    row.mismatches === 0 ? '0' : `${row.mismatches} of ${row.checked}`,
    times === undefined ? '' : `${times} x`,
  ]
}

function microseconds(value: number): string {
  return value.toFixed(value < 10 ? 2 : 0)
}

/** What went wrong, so that a worthless row is not taken for a figure. */
function complaintOf(report: PolicyReport): string[] {
  const what = `${report.name}, ${report.policies} policies`
  if (!isPolicyRow(report))
    return ['skipped' in report ? `${what}: skipped: ${report.skipped}` : `${what}: FAILED: ${report.failed}`]
  if (report.mismatches === 0) return []
  return [`${what}: WRONG: ${report.mismatches} of ${report.checked} answers are not those of the reference: not a figure`]
}
