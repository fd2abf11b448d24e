import { align } from '../table.ts'
import type { Difference, ExecResult, ExecRow } from './measure-exec.ts'

const HEADER = ['contender', 'p50 ms', 'p99 ms', 'min ms', 'paced p50', 'paced p99', 'paced min']

/** Renders a result for people. */
export function renderExecTable(result: ExecResult): string {
  const { machine, warmOver, cold } = result
  return [
    `${machine.cores} cores, ${machine.cpu}, Node ${machine.node}, load ${machine.loadBefore} before; a pause of ${result.pauseMs} ms where paced`,
    '',
    ...align([HEADER, ...result.rows.flatMap(cells)]),
    '',
    `a warm command over a plain warm shell: ${difference(warmOver.fresh)}`,
    `a warm command over a plain warm shell that copies itself: ${difference(warmOver.subshell)}`,
    ...(cold === null ? [] : [`a cold command: ${cold.p50Ms} ms p50`]),
    ...result.rows.map(note),
  ].join('\n')
}

function cells(row: ExecRow): readonly (readonly string[])[] {
  if (!('paced' in row)) return []
  const figures = [row.backToBack, row.paced].flatMap(({ p50Ms, p99Ms, minMs }) => [p50Ms, p99Ms, minMs])
  return [[row.name, ...figures.map((figure) => figure.toFixed(2))]]
}

function difference(value: Difference | null): string {
  return value === null ? 'not measured' : `${value.backToBackMs} ms p50, paced ${value.pacedMs} ms`
}

function note(row: ExecRow): string {
  if ('skipped' in row) return `${row.name}: skipped: ${row.skipped}`
  return 'failed' in row ? `${row.name}: FAILED: ${row.failed}` : `${row.name}: ${row.notes}`
}
