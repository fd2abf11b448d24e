/** Every way in which something leads back to itself, as `a -> b -> a`; each cycle is told once. */
export function cyclesIn(edges: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const done = new Set<string>()
  const found: string[] = []
  const visit = (at: string, way: readonly string[]): void => {
    const seen = way.indexOf(at)
    if (seen >= 0) found.push([...way.slice(seen), at].join(' -> '))
    if (seen >= 0 || done.has(at)) return
    for (const next of edges.get(at) ?? []) visit(next, [...way, at])
    done.add(at)
  }
  for (const start of edges.keys()) visit(start, [])
  return found
}
