import type { Json } from '../canonical/json.ts'
import { leavesOf, segmentsOf } from '../canonical/pointer.ts'
import { joinOrigins, ORIGINS, type Origin } from './origin.ts'

/**
 * Who wrote the part of an output at a pointer. The declared origin with the longest matching pointer wins; what nobody declared
 * is `third-party`. A part that has parts of its own joins theirs.
 */
export function originAt(declared: Readonly<Record<string, Origin>>, pointer: string, value: Json): readonly Origin[] {
  return leavesOf(value, pointer).reduce<readonly Origin[]>(
    (joined, [path]) => joinOrigins(joined, [leafOrigin(declared, path)]),
    [],
  )
}

function leafOrigin(declared: Readonly<Record<string, Origin>>, path: string): Origin {
  const segments = segmentsOf(path)
  let best: Origin = 'third-party'
  let bestLength = -1
  for (const [pattern, origin] of Object.entries(declared)) {
    const wanted = segmentsOf(pattern)
    if (wanted.length <= bestLength || wanted.length > segments.length) continue
    if (!wanted.every((segment, i) => segment === '*' || segment === segments[i])) continue
    best = origin
    bestLength = wanted.length
  }
  return best
}

/** Something the run has seen, with who wrote each of its parts. */
export interface Source {
  readonly value: Json
  readonly origin: (pointer: string, leaf: Json) => readonly Origin[]
}

/**
 * Traces one argument that a model wrote: a value found verbatim in what the run has seen has the origins of the place where it
 * was found (the most trusted place, if there are several of different trust, only when it is a whole value there); anything else
 * was made up by the model, out of everything it had seen.
 *
 * Assumes a planner that is entirely in an attacker's hands: being found is evidence about the value, never about the intent.
 */
export function traceValue(leaf: Json, sources: readonly Source[]): readonly Origin[] {
  const found = sources.flatMap((source) =>
    leavesOf(source.value)
      .filter(([, candidate]) => candidate === leaf || (typeof leaf === 'number' && candidate === String(leaf)))
      .map(([pointer, candidate]) => source.origin(pointer, candidate)),
  )
  return found.toSorted((a, b) => rank(a) - rank(b))[0] ?? ['model']
}

/** Less trusted is larger. */
function rank(origins: readonly Origin[]): number {
  return Math.max(...origins.map((origin) => ORIGINS.indexOf(origin)))
}
