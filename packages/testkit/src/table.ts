/**
 * Reads a text table: a line of column names, then a line for each case, cells between `|`. Empty lines and lines of dashes are left
 * out. Every cell is text; `-` stands for the empty one.
 *
 * Throws when a line has another number of cells than the first: a case that lost a column tests something else.
 */
export function table(text: string): readonly Readonly<Record<string, string>>[] {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^[-|\s]+$/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()))
  const [names, ...cases] = lines
  if (names === undefined || cases.length === 0) throw new Error('A table has a line of names and at least one case.')
  return cases.map((cells) => {
    if (cells.length !== names.length)
      throw new Error(`This line of the table has ${cells.length} cells, not ${names.length}: ${cells.join(' | ')}`)
    return Object.fromEntries(names.map((name, i) => [name, cells[i] === '-' ? '' : (cells[i] ?? '')]))
  })
}
