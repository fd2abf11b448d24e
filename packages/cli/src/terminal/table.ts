import { widthOf } from './width.ts'
import { wrap } from './wrap.ts'

/** Cuts a plain text to a number of columns. */
export function fit(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let kept = ''
  for (const character of text) {
    if (widthOf(kept + character) > width - 1) break
    kept += character
  }
  return `${kept}\u2026`
}

/** Less room than this is not worth a column. */
const ROOM = 24

/**
 * Rows in aligned columns, the header in capitals. Where the terminal is too narrow for the last column, its texts are broken into
 * lines there, or stand below their rows.
 */
export function renderTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  columns = Number.POSITIVE_INFINITY,
): string {
  const all = [header.map((name) => name.toUpperCase()), ...rows]
  const widths = header.map((_, column) => Math.max(...all.map((row) => widthOf(row[column] ?? ''))))
  const taken = widths.slice(0, -1).reduce((sum, width) => sum + width + GAP.length, 0)
  const room = columns - taken
  const lines = all.flatMap((row, i) => {
    const first = row.slice(0, -1).map((cell, column) => padded(cell, widths[column] ?? 0))
    const last = row.at(-1) ?? ''
    if (room >= (widths.at(-1) ?? 0)) return [[...first, last].join(GAP)]
    if (room < ROOM)
      return [first.join(GAP).trimEnd(), ...(i === 0 ? [] : wrap(last, columns - GAP.length).map((line) => GAP + line))]
    return wrap(last, room).map((line, j) => (j === 0 ? [...first, line].join(GAP) : ' '.repeat(taken) + line))
  })
  return lines.join('\n')
}

const GAP = '  '

/** Names and values in two columns. */
export function renderPairs(pairs: readonly (readonly [string, string])[]): string {
  const width = Math.max(...pairs.map(([name]) => widthOf(name)))
  return pairs.map(([name, value]) => `${padded(name, width)}  ${value}`).join('\n')
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)))
}
