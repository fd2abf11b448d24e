import { type DetailedError, type PolicyJson, policyToJson, validate } from '@cedar-policy/cedar-wasm/nodejs'
import { type Annotated, parseAnnotations } from './annotation.ts'
import { CedarError, type CedarErrorCode, errorOfIssues, type PolicyIssue } from './error.ts'
import { offsetOfByte, positionAt } from './position.ts'
import type { CedarSchema } from './schema.ts'
import { type Segmented, splitPolicies } from './segment.ts'
import { checkApprovals, checkWords, comparisonsOf, yieldsToApproval } from './vocabulary.ts'

/** A file of policies. `file` is what errors call it. */
export interface PolicyFile {
  readonly file: string
  readonly text: string
}

/** A policy that has passed every check. */
export interface LoadedPolicy extends Annotated {
  readonly effect: 'permit' | 'forbid'
  readonly text: string
  readonly file: string
  readonly line: number
  readonly column: number
  /** Cedar's JSON form: what is looked at rather than run. */
  readonly json: PolicyJson
}

/** What of some files parses, and everything that is wrong with the rest. */
export interface ReadPolicies {
  readonly policies: readonly LoadedPolicy[]
  readonly issues: readonly PolicyIssue[]
}

/** Policies of one set, over all files. */
export const MAX_POLICIES = 20_000

/** A policy that parses; offsets of its problems are relative to `start` in its file. */
interface Parsed {
  readonly source: PolicyFile
  readonly start: number
  readonly text: string
  readonly json: PolicyJson
  readonly annotated: Annotated
}

/**
 * Reads policies and checks them against the schema: syntax, annotations, unique ids, attributes and types, words that an attribute
 * can never have, and asks that no approval would satisfy.
 *
 * All or nothing: throws one {@link CedarError} with every issue and its place. What Cedar's validator only warns of (a policy that
 * can never match, look-alike letters) is an issue too: a forbid that never matches is worse than none.
 */
export function loadPolicies(files: readonly PolicyFile[], schema: CedarSchema): readonly LoadedPolicy[] {
  const issues: PolicyIssue[] = []
  const count = files.reduce((sum, { text }) => sum + countOf(splitPolicies(text)), 0) // before Cedar parses the first of them
  if (count > MAX_POLICIES) throw new CedarError('policy_limit', `${count} policies are too many: ${MAX_POLICIES} at most`)
  const parsed = files.flatMap((source) => parseFile(source, issues))
  const unique = distinct(parsed, issues)
  checkLanguage(unique, schema, issues)
  checkMeaning(unique, schema, issues)
  const [first, ...rest] = inOrder(issues, files)
  if (first !== undefined) throw errorOfIssues([first, ...rest])
  return unique.map(asLoaded)
}

/**
 * Reads policies without a schema, for comparing and looking at sets that may be of another time or not in order: what parses and has
 * its annotations is answered, and what does not is an issue. Never a step towards evaluating them: that is {@link loadPolicies}.
 */
export function readPolicies(files: readonly PolicyFile[]): ReadPolicies {
  const issues: PolicyIssue[] = []
  const parsed = files.flatMap((source) => parseFile(source, issues))
  const unique = distinct(parsed, issues)
  return { policies: unique.map(asLoaded), issues: inOrder(issues, files) }
}

function countOf(split: Segmented): number {
  return split.ok ? split.segments.length : 0
}

function asLoaded({ source, start, text, json, annotated }: Parsed): LoadedPolicy {
  return { ...annotated, effect: json.effect, text, file: source.file, ...positionAt(source.text, start), json }
}

function parseFile(source: PolicyFile, issues: PolicyIssue[]): readonly Parsed[] {
  const split = splitPolicies(source.text)
  if (!split.ok) {
    issues.push(issueAt(source, split.refusal.at, split.refusal.code, split.refusal.message))
    return []
  }
  return split.segments.flatMap(({ start, text }) => {
    const answer = guarded(() => policyToJson(text))
    if (answer.type === 'failure') {
      issues.push(...answer.errors.map((error) => issueOf(error, 'policy_syntax', { source, start, text })))
      return []
    }
    const read = parseAnnotations(answer.json.effect, answer.json.annotations ?? {})
    if (read.ok) return [{ source, start, text, json: answer.json, annotated: read.value }]
    for (const { code, annotation, message } of read.problems) {
      const at = annotation === undefined ? 0 : Math.max(0, text.search(new RegExp(`@\\s*${annotation}\\b`)))
      issues.push(issueAt(source, start + at, code, message))
    }
    return []
  })
}

/** The first policy of each id; every other one is an issue. */
function distinct(all: readonly Parsed[], issues: PolicyIssue[]): readonly Parsed[] {
  const firsts = new Map<string, Parsed>()
  return all.filter((policy) => {
    const { id } = policy.annotated
    const first = firsts.get(id)
    if (first === undefined) {
      firsts.set(id, policy)
      return true
    }
    const line = positionAt(first.source.text, first.start).line
    const message = `the id "${id}" is taken by the policy at ${first.source.file}:${line}`
    issues.push(issueAt(policy.source, policy.start, 'policy_duplicate_id', message))
    return false
  })
}

/** Cedar's own validator. */
function checkLanguage(policies: readonly Parsed[], schema: CedarSchema, issues: PolicyIssue[]): void {
  const staticPolicies = Object.fromEntries(policies.map((policy) => [policy.annotated.id, policy.text]))
  const answer = guarded(() => validate({ schema: schema.cedar, policies: { staticPolicies } }))
  if (answer.type === 'failure') {
    throw new CedarError('schema_invalid', `Cedar refuses the schema: ${answer.errors.map((error) => error.message).join('; ')}`)
  }
  const wrong = new Set(answer.validationErrors.map((error) => error.policyId))
  const warnings = answer.validationWarnings.filter((warning) => !wrong.has(warning.policyId))
  const find = (id: string) => policies.find((policy) => policy.annotated.id === id)
  for (const [code, list] of [
    ['policy_schema', answer.validationErrors],
    ['policy_suspect', warnings],
  ] as const) {
    for (const { policyId, error } of list) {
      const policy = find(policyId)
      if (policy === undefined) throw new CedarError('policy_engine', `Cedar speaks of an unknown policy: ${error.message}`)
      issues.push(issueOf(error, code, policy))
    }
  }
}

/** What Cedar cannot know. */
function checkMeaning(policies: readonly Parsed[], schema: CedarSchema, issues: PolicyIssue[]): void {
  const asking = policies.filter((policy) => policy.annotated.outcome === 'ask').map((policy) => policy.annotated.id)
  for (const { source, start, text, json, annotated } of policies) {
    const comparisons = comparisonsOf(json)
    for (const { code, literal, message } of [...checkWords(comparisons, schema.words), ...checkApprovals(comparisons, asking)]) {
      const at = literal === undefined ? -1 : text.lastIndexOf(`"${literal}"`)
      issues.push(issueAt(source, start + Math.max(0, at), code, message))
    }
    if (annotated.outcome !== 'ask' || yieldsToApproval(json, annotated.id)) continue
    const message = `an approval would change nothing: add unless { context.approvals.contains("${annotated.id}") }`
    issues.push(issueAt(source, start, 'policy_approval', message))
  }
}

/** By place; a mistake is named once, though Cedar finds it again for every operation that it concerns. */
function inOrder(issues: readonly PolicyIssue[], files: readonly PolicyFile[]): readonly PolicyIssue[] {
  const order = (issue: PolicyIssue) => files.findIndex((source) => source.file === issue.file)
  const distinct = new Map(issues.map((issue) => [`${issue.file}:${issue.line}:${issue.column}:${issue.message}`, issue]))
  return [...distinct.values()].toSorted(
    (a, b) => order(a) - order(b) || a.line - b.line || a.column - b.column || (a.message < b.message ? -1 : 1),
  )
}

function issueOf(error: DetailedError, code: CedarErrorCode, policy: Pick<Parsed, 'source' | 'start' | 'text'>): PolicyIssue {
  const byte = error.sourceLocations?.[0]?.start ?? 0
  const said = error.message
    .replace(/^failed to parse policy from string: |^for policy `[^`]*`(?:, |: )/, '')
    .replace(/ in context for Action::"[^"]*"/, ' in context')
  const message = error.help === null ? said : `${said} (${error.help})`
  return issueAt(policy.source, policy.start + offsetOfByte(policy.text, byte), code, message)
}

function issueAt(source: PolicyFile, offset: number, code: CedarErrorCode, message: string): PolicyIssue {
  return { code, file: source.file, ...positionAt(source.text, offset), message }
}

/** A trap inside Cedar's WebAssembly leaves the instance unusable: say so, rather than let it look like a wrong policy. */
function guarded<T>(call: () => T): T {
  try {
    return call()
  } catch (cause) {
    throw new CedarError('policy_engine', 'the Cedar engine has crashed: restart the process, and report the policy', { cause })
  }
}
