import { type ActionsResult, allReports } from './actions.ts'
import { isMeasurement, isSkipped, type Report } from './report-line.ts'

const HEADER = ['contender', 'in flight', 'actions/s', 'p50 ms', 'p99 ms', 'CPU ms/action', 'MB', 'durable', 'ours / it']

/** Renders a result for people: one row per contender, then the notes that a fair reading needs. */
export function renderTable(result: ActionsResult): string {
  const reports = allReports(result)
  const rows = reports
    .filter(isMeasurement)
    .map((report) => [
      report.name,
      String(report.inFlight),
      report.perSecond.toFixed(0),
      report.p50Ms.toFixed(2),
      report.p99Ms.toFixed(2),
      (report.cpuSecondsPerAction * 1_000).toFixed(3),
      report.rssMb.toFixed(0),
      report.durable === 'fsync' ? 'fsync' : 'no',
      result.ratio[report.name] === undefined ? '' : `${result.ratio[report.name]} x`,
    ])
  const { machine, ours } = result
  return [
    `${machine.cores} cores, ${machine.cpu}, Node ${machine.node}, ${machine.storage}, load ${machine.loadBefore} before`,
    '',
    ...align([HEADER, ...rows]),
    '',
    ...(ours.fsyncP50Ms === null ? [] : [`one fsync of 4 KB: ${ours.fsyncP50Ms} ms p50`]),
    ...(ours.ratioToFsync === null ? [] : [`one action in flight costs ${ours.ratioToFsync} of these`]),
    ...reports.map(renderNote),
  ].join('\n')
}

function renderNote(report: Report): string {
  if (isSkipped(report)) return `${report.name}: skipped: ${report.skipped}`
  if (!isMeasurement(report)) return `${report.name}: FAILED: ${report.failed}`
  const durable = report.durable === 'fsync' ? '' : `; durable: ${report.durable}`
  return `${report.name}: ${report.version}; ${report.notes}${durable}`
}

/** Rows of a table as lines, as wide as the first row has columns: the first column to the left, the rest to the right. */
export function align(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}
