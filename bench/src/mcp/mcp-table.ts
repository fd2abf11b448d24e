import { align } from '../table.ts'
import type { McpResult, McpRow } from './measure-mcp.ts'

/** Renders a result for people: one row per way to the tool. */
export function renderMcpTable({ machine, inFlight, rounds, rows, skipped }: McpResult): string {
  const head = ['way', 'p50 ms', 'p99 ms', 'added p50 ms', `calls/s, ${inFlight} in flight`, 'of direct']
  return [
    `${machine.cores} cores, ${machine.cpu}, Node ${machine.node}, ${machine.storage}, load ${machine.loadBefore} before`,
    `one call at a time, then ${inFlight}; the middle of ${rounds} rounds`,
    '',
    ...(skipped === undefined ? align([head, ...rows.map(cellsOf)]) : [`skipped: ${skipped}`]),
    ...rows.flatMap(({ name, failed }) => (failed === undefined ? [] : [`${name}: FAILED: ${failed}`])),
  ].join('\n')
}

function cellsOf({ name, one, many, addedP50Ms, ratio }: McpRow): readonly string[] {
  return [
    name,
    one?.p50Ms.toFixed(2) ?? '',
    one?.p99Ms.toFixed(2) ?? '',
    addedP50Ms?.toFixed(2) ?? '',
    many?.perSecond.toFixed(0) ?? '',
    ratio?.toFixed(2) ?? '',
  ]
}
