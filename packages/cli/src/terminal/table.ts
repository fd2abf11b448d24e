// biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours take no room
const COLOUR = /\u001B\[[0-9;]*m/g
const WIDE =
  /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]/u

/** How many columns of a terminal a text takes: wide characters two, combining ones none. */
export function widthOf(text: string): number {
  let width = 0
  for (const character of text.replace(COLOUR, '')) {
    if (/\p{M}/u.test(character)) continue
    width += WIDE.test(character) ? 2 : 1
  }
  return width
}

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

/** Rows in aligned columns, the header in capitals. The last column is not padded; its text must be cut by the caller. */
export function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header.map((name) => name.toUpperCase()), ...rows]
  const widths = header.map((_, column) => Math.max(...all.map((row) => widthOf(row[column] ?? ''))))
  return all
    .map((row) => row.map((cell, column) => padded(cell, column === row.length - 1 ? 0 : (widths[column] ?? 0))).join('  '))
    .join('\n')
}

/** Names and values in two columns. */
export function renderPairs(pairs: readonly (readonly [string, string])[]): string {
  const width = Math.max(...pairs.map(([name]) => widthOf(name)))
  return pairs.map(([name, value]) => `${padded(name, width)}  ${value}`).join('\n')
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)))
}
