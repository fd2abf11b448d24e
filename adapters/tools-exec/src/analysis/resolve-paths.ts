import type { AnalysisContext, CommandFacts, TouchedPath } from './facts.ts'
import { categoriesOf, classifyPath } from './path.ts'

/**
 * Adds what links lead to. The caller looks with the real file system: `links` has, for each path of `facts.paths` that leads
 * elsewhere, the real absolute path. What the names alone said stays; the real places come on top.
 */
export function resolvePaths(facts: CommandFacts, links: ReadonlyMap<string, string>, context: AnalysisContext): CommandFacts {
  const real = facts.paths.flatMap((place): TouchedPath[] => {
    const target = links.get(place.path)
    if (target === undefined || target === place.path) return []
    return [{ path: target, access: place.access, class: classifyPath(target, place.access, context), exact: true }]
  })
  if (real.length === 0) return facts
  const categories = new Set([...facts.categories, ...real.flatMap((place) => categoriesOf(place.class, place.access))])
  return { ...facts, categories: [...categories].toSorted(), paths: [...facts.paths, ...real] }
}
