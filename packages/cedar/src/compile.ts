import type { DetailedError, Policy, PolicySet, Schema, TemplateLink } from '@cedar-policy/cedar-wasm/nodejs'
import { validate } from '@cedar-policy/cedar-wasm/nodejs'
import { type CompiledPolicies, compilePolicies, type EstPolicy, KernelError, type PolicySource } from '@tidegate/kernel'
import { CedarError, type CedarErrorCode, errorOfIssues, type PolicyIssue } from './error.ts'
import { guarded } from './language/exact-policy.ts'
import { readLinks } from './language/link.ts'
import { type FoundPolicy, findPolicies } from './language/find-policies.ts'
import { readSchemaTypes, type SchemaTypes } from './language/schema-types.ts'
import type { PolicyFile } from './load.ts'
import { offsetOfByte, positionAt } from './position.ts'

export interface CompileCedarOptions {
  /** Files of policies: Cedar's text, or its JSON form when the name ends in `.json`. Annotations of ours are not needed. */
  readonly policies: readonly PolicyFile[]
  /** A schema in either form. With one, every policy must pass Cedar's validator, and actions know their groups. */
  readonly schema?: Schema
  /** Links for the templates among the policies, besides those that a JSON policy set brings along. */
  readonly links?: readonly TemplateLink[]
  /**
   * How policies are called: `position` is Cedar's own way (`policy0`, `policy1`, ... over all files), `annotation` takes `@id`, and
   * the position where there is none.
   */
  readonly ids?: 'position' | 'annotation'
}

/** Where a policy stands. */
export interface CompiledFrom {
  readonly id: string
  readonly file: string
  readonly line: number
  readonly column: number
  readonly text: string
}

export interface CompiledCedar {
  readonly compiled: CompiledPolicies
  /** Every policy and template, in the order of the files. */
  readonly sources: readonly CompiledFrom[]
  readonly schema: SchemaTypes | undefined
  /** What Cedar's validator only warns of. */
  readonly warnings: readonly PolicyIssue[]
}

/**
 * Compiles policies for Cedar: parses and validates them with Cedar itself, and compiles the result for the kernel.
 *
 * All or nothing: throws one {@link CedarError} with every issue and its place. A template without a link decides nothing.
 */
export function compileCedar({ policies, schema, links = [], ids = 'position' }: CompileCedarOptions): CompiledCedar {
  const found = findPolicies(policies, ids)
  throwIssues(found.issues)
  const types = schema === undefined ? undefined : readSchemaTypes(schema)
  const allLinks = [...found.links, ...links]
  const sources = [...staticSources(found.policies), ...readLinks(allLinks, found.policies)]
  const validated = schema === undefined ? NOTHING_TO_SAY : validatePolicies(found.policies, allLinks, schema)
  throwIssues(validated.errors)
  return {
    compiled: compileAll(sources, types),
    sources: found.policies.map(({ id, file, line, column, text }) => ({ id, file, line, column, text })),
    schema: types,
    warnings: validated.warnings,
  }
}

/** What Cedar's validator says about policies. */
export interface Validated {
  readonly errors: readonly PolicyIssue[]
  readonly warnings: readonly PolicyIssue[]
}

const NOTHING_TO_SAY: Validated = { errors: [], warnings: [] }

/** Asks Cedar's validator. @throws CedarError `schema_invalid` when the schema itself is wrong. */
export function validatePolicies(found: readonly FoundPolicy[], links: readonly TemplateLink[], schema: Schema): Validated {
  const answer = guarded(() => validate({ schema, policies: policySetOf(found, links) }))
  if (answer.type === 'failure')
    throw new CedarError('schema_invalid', `Cedar refuses the schema: ${answer.errors.map((error) => error.message).join('; ')}`)
  const place = (code: CedarErrorCode) => (each: { readonly policyId: string; readonly error: DetailedError }) =>
    issueOf(each.error, code, found, each.policyId, links)
  return {
    errors: inOrder(answer.validationErrors.map(place('policy_schema'))),
    warnings: inOrder(answer.validationWarnings.map(place('policy_suspect'))),
  }
}

/** The policies as Cedar takes them. */
export function policySetOf(found: readonly FoundPolicy[], links: readonly TemplateLink[]): PolicySet {
  const written = (template: boolean) =>
    Object.fromEntries(
      found.filter((each) => each.template === template).map((each): [string, Policy] => [each.id, each.asWritten]),
    )
  return { staticPolicies: written(false), templates: written(true), templateLinks: [...links] }
}

/** Compiles for the kernel; what it refuses after Cedar took it is an engine's fault, not a policy's. */
export function compileAll(sources: readonly PolicySource[], types: SchemaTypes | undefined): CompiledPolicies {
  try {
    return compilePolicies(sources, types === undefined ? {} : { actions: types.actions })
  } catch (cause) {
    if (cause instanceof KernelError) throw new CedarError('policy_engine', cause.message, { cause })
    throw cause
  }
}

export function staticSources(found: readonly FoundPolicy[]): readonly PolicySource[] {
  return found.filter(({ template }) => !template).map(({ id, policy }): { id: string; policy: EstPolicy } => ({ id, policy }))
}

function issueOf(
  error: DetailedError,
  code: CedarErrorCode,
  found: readonly FoundPolicy[],
  policyId: string,
  links: readonly TemplateLink[],
): PolicyIssue {
  const templateId = links.find((link) => link.newId === policyId)?.templateId
  const policy = found.find(({ id }) => id === policyId || id === templateId)
  const said = error.message
    .replace(/^for policy `[^`]*`(?:, |: )/, '')
    .replace(/ in context for [A-Za-z0-9_:]*Action::"[^"]*"/, ' in context')
  const message = error.help === null ? said : `${said} (${error.help})`
  if (policy === undefined) return { code, file: '', line: 1, column: 1, message: `${policyId}: ${message}` }
  const offset = policy.start + offsetOfByte(policy.text, error.sourceLocations?.[0]?.start ?? 0)
  return { code, file: policy.file, ...positionAt(policy.fileText, offset), message }
}

/** By place, which is not how Cedar lists them; what it finds again for another action is named once. */
function inOrder(issues: readonly PolicyIssue[]): readonly PolicyIssue[] {
  const distinct = new Map(issues.map((issue) => [`${issue.file}:${issue.line}:${issue.column}:${issue.message}`, issue]))
  return [...distinct.values()].toSorted((a, b) =>
    a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column || (a.message < b.message ? -1 : 1),
  )
}

function throwIssues(issues: readonly PolicyIssue[]): void {
  const [first, ...rest] = issues
  if (first !== undefined) throw errorOfIssues([first, ...rest])
}
