/** ` Did you mean "x"?` when one of the known names is close to the given one; otherwise which there are, or nothing. */
export function suggest(given: string, known: readonly string[]): string {
  const near = nearestName(given, known)
  if (near !== undefined) return ` Did you mean "${near}"?`
  if (known.length === 0) return ''
  const shown = known.slice(0, 12).join(', ')
  return known.length > 12 ? ` There are ${shown} and ${known.length - 12} more.` : ` There is ${shown}.`
}

/** The known name with the fewest typing mistakes, if there are few enough to be a mistake, or that begins with what was given. */
export function nearestName(given: string, known: readonly string[]): string | undefined {
  const clipped = given.slice(0, 80).toLowerCase()
  const limit = Math.max(1, Math.floor(clipped.length / 3))
  const near = known
    .map((name) => ({ name, distance: editDistance(clipped, name.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .toSorted((a, b) => a.distance - b.distance)[0]?.name
  return near ?? (clipped.length < 3 ? undefined : known.find((name) => name.toLowerCase().startsWith(clipped)))
}

/** Insertions, deletions, replacements and swaps of neighbours between two texts. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  const at = (i: number, j: number): number => rows[i]?.[j] ?? 0
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    rows.push(row)
    for (let j = 1; j <= b.length; j++) {
      const changed = Math.min(at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1), at(i - 1, j) + 1, at(i, j - 1) + 1)
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row.push(isSwapped ? Math.min(changed, at(i - 2, j - 2) + 1) : changed)
    }
  }
  return at(a.length, b.length)
}
