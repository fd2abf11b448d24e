/**
 * Who wrote a value.
 *
 * `workflow` the people who wrote the workflow; `system` a system of record; `user` the person the run serves; `third-party`
 * anybody else (an attachment, a web page, a tool's free text); `model` text the model made up.
 */
export type Origin = 'workflow' | 'system' | 'user' | 'third-party' | 'model'

/** All origins, most trusted first. */
export const ORIGINS = ['workflow', 'system', 'user', 'model', 'third-party'] as const satisfies readonly Origin[]

/** Joins two sets of origins: labels only ever rise (I9). The result is sorted and has no duplicates. */
export function joinOrigins(a: readonly Origin[], b: readonly Origin[]): readonly Origin[] {
  if (b.length === 0) return a
  if (a.length === 0) return b
  return SETS[bitsOf(a) | bitsOf(b)] ?? ORIGINS
}

/** Every set of origins there is, by the bits of its members. */
const SETS: readonly (readonly Origin[])[] = Array.from({ length: 1 << ORIGINS.length }, (_, bits) =>
  ORIGINS.filter((_origin, at) => (bits & (1 << at)) !== 0),
)

function bitsOf(origins: readonly Origin[]): number {
  let bits = 0
  for (const origin of origins) bits |= 1 << ORIGINS.indexOf(origin)
  return bits
}

/** True when no part of a value was written by someone whom the workflow does not trust to instruct it. */
export function isTrusted(origins: readonly Origin[]): boolean {
  return !origins.includes('third-party') && !origins.includes('model')
}
