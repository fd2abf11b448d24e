/** ` Did you mean "x"?` when one of the known names is close to the given one; otherwise which there are, or nothing. */
export function suggest(given: string, known: readonly string[]): string {
  const near = nearestName(given, known)
  if (near !== undefined) return ` Did you mean "${near}"?`
  if (known.length === 0) return ''
  const shown = known.slice(0, 12).join(', ')
  return known.length > 12 ? ` There are ${shown} and ${known.length - 12} more.` : ` There is ${shown}.`
}

/** The known name with the fewest typing mistakes, if there are few enough to be a mistake. */
export function nearestName(given: string, known: readonly string[]): string | undefined {
  const clipped = given.slice(0, 80)
  const limit = Math.max(1, Math.floor(clipped.length / 3))
  return known
    .map((name) => ({ name, distance: editDistance(clipped.toLowerCase(), name.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .toSorted((a, b) => a.distance - b.distance)[0]?.name
}

/** Insertions, deletions and replacements between two texts. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
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
