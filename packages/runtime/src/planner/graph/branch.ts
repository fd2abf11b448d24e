import { canonicalJson, type Json, joinOrigins, type Origin, resolveReference, type Scope } from '@tidegate/kernel'
import type { BranchNode, Test } from './graph.ts'

/** The way that a branch takes, and who wrote the values that decided it. */
export interface Taken {
  readonly next: string
  readonly origins: readonly Origin[]
}

/** Takes a branch. Pure; a value that is not there passes no test but `exists: false`. */
export function takeBranch({ conditions, otherwise }: BranchNode, scope: Scope): Taken {
  let origins: readonly Origin[] = []
  for (const { value, test, next } of conditions) {
    const resolved = resolveReference(value, scope)
    origins = joinOrigins(origins, resolved?.origins ?? [])
    if (passes(resolved?.value, test, scope)) return { next, origins }
  }
  return { next: otherwise, origins }
}

function passes(value: Json | undefined, test: Test, scope: Scope): boolean {
  if (test.kind === 'exists') return (value !== undefined && value !== null) === test.expected
  if (value === undefined) return false
  switch (test.kind) {
    case 'equals':
      return isSame(value, test.expected, scope)
    case 'in':
      return test.expected.some((expected) => isSame(value, expected, scope))
    case 'lessThan':
      return typeof value === 'number' && value < test.expected
    case 'atMost':
      return typeof value === 'number' && value <= test.expected
    case 'greaterThan':
      return typeof value === 'number' && value > test.expected
    case 'atLeast':
      return typeof value === 'number' && value >= test.expected
  }
}

function isSame(value: Json, expected: Json, scope: Scope): boolean {
  const isReference = typeof expected === 'string' && /^\$(?:input|seen|notes)(?:\/|$)/u.test(expected)
  const wanted = isReference ? resolveReference(expected, scope)?.value : expected
  return wanted !== undefined && canonicalJson(value) === canonicalJson(wanted)
}
