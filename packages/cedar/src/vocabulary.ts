import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'
import type { CedarErrorCode } from './error.ts'
import { didYouMean } from './nearest.ts'

/** A literal that a policy compares an attribute of the context with. */
export interface Comparison {
  /** The way to it from the context, such as `risk` or `arguments.currency`. */
  readonly attribute: string
  readonly literal: string
}

export interface VocabularyProblem {
  readonly code: CedarErrorCode
  /** The literal it is about, for finding its place. */
  readonly literal?: string
  readonly message: string
}

const BINARY = ['==', '!=', 'contains', 'containsAny', 'containsAll']

/** All literals that a policy compares attributes of the context with, in no particular order. */
export function comparisonsOf(policy: PolicyJson): readonly Comparison[] {
  const found: Comparison[] = []
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(visit)
    if (!isRecord(node)) return
    for (const [key, value] of Object.entries(node)) {
      if (BINARY.includes(key) && isRecord(value))
        found.push(...compare(value.left, value.right), ...compare(value.right, value.left))
      visit(value)
    }
  }
  visit(policy.conditions)
  return found
}

function compare(side: unknown, other: unknown): readonly Comparison[] {
  const attribute = attributeOf(side)
  return attribute === undefined ? [] : literalsOf(other).map((literal) => ({ attribute, literal }))
}

/** Words that an attribute can never have make a rule that can never match, or always: both are mistakes that Cedar cannot see. */
export function checkWords(
  comparisons: readonly Comparison[],
  words: Readonly<Record<string, readonly string[]>>,
): readonly VocabularyProblem[] {
  return comparisons.flatMap(({ attribute, literal }) => {
    const known = Object.hasOwn(words, attribute) ? words[attribute] : undefined
    if (known === undefined || known.includes(literal)) return []
    const message = `context.${attribute} is never "${literal}"${didYouMean(literal, known) || `: it is one of ${known.join(', ')}`}`
    return [{ code: 'policy_vocabulary' as const, literal, message }]
  })
}

/** An approval names the policy that asked. One that nobody asks for is a misspelling. */
export function checkApprovals(comparisons: readonly Comparison[], asking: readonly string[]): readonly VocabularyProblem[] {
  return comparisons
    .filter(({ attribute, literal }) => attribute === 'approvals' && !asking.includes(literal))
    .map(({ literal }) => ({
      code: 'policy_approval' as const,
      literal,
      message: `no policy with the id "${literal}" asks for an approval${didYouMean(literal, asking)}`,
    }))
}

/**
 * True when an approval of the policy certainly satisfies it: an `unless` that holds as soon as `context.approvals` contains the
 * policy's own id. Without it people would be asked again and again, and their answer would change nothing.
 */
export function yieldsToApproval(policy: PolicyJson, id: string): boolean {
  return policy.conditions.some(
    (clause) => clause.kind === 'unless' && alternativesOf(clause.body).some((term) => isApprovalOf(term, id)),
  )
}

function alternativesOf(body: unknown): readonly unknown[] {
  const either = isRecord(body) ? body['||'] : undefined
  return isRecord(either) ? [...alternativesOf(either.left), ...alternativesOf(either.right)] : [body]
}

function isApprovalOf(term: unknown, id: string): boolean {
  const contains = isRecord(term) ? term.contains : undefined
  return isRecord(contains) && attributeOf(contains.left) === 'approvals' && literalsOf(contains.right)[0] === id
}

/** The way from the context to an attribute: `risk`, `arguments.currency`. Undefined for anything else. */
function attributeOf(node: unknown): string | undefined {
  const access = isRecord(node) ? node['.'] : undefined
  if (!isRecord(access) || !isRecord(access.left) || typeof access.attr !== 'string') return undefined
  if (access.left.Var === 'context') return access.attr
  const owner = attributeOf(access.left)
  return owner === undefined ? undefined : `${owner}.${access.attr}`
}

function literalsOf(node: unknown): readonly string[] {
  if (!isRecord(node)) return []
  if (typeof node.Value === 'string') return [node.Value]
  return Array.isArray(node.Set) ? node.Set.flatMap(literalsOf) : []
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
