/** ` Did you mean "x"?` when at most two typing mistakes lie between a known name and the given one, and nothing otherwise. */
export function suggestName(given: string, known: readonly string[]): string {
  const wanted = given.slice(0, 60).toLowerCase()
  const limit = wanted.length <= 3 ? 1 : 2
  const near = known
    .map((name) => ({ name, mistakes: mistakesBetween(wanted, name.toLowerCase()) }))
    .filter(({ mistakes }) => mistakes <= limit)
    .toSorted((a, b) => a.mistakes - b.mistakes)[0]
  return near === undefined ? '' : ` Did you mean "${near.name}"?`
}

/** Insertions, deletions and replacements that make one text of another. */
function mistakesBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
