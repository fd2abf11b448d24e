import { CedarError, type CedarSchema, loadPolicies, type LoadedPolicy, type PolicyIssue, readPolicies } from '@tidegate/cedar'
import type { ProjectPolicyFile } from '@tidegate/project'
import { findConditions } from './conditions.ts'
import type { LintFinding } from './finding.ts'
import { findUnanswerable, type Person } from './unanswerable.ts'
import { findMissingReasons, findUnreachable } from './scopes.ts'

/** What a lint looks at. */
export interface LintSubject {
  readonly policyFiles: readonly ProjectPolicyFile[]
  readonly schema: CedarSchema
  /** The people of the project; undefined where they come from elsewhere, and nobody can say who has which role. */
  readonly people: readonly Person[] | undefined
}

/** What a lint found. */
export interface LintReport {
  /** Policies that were read. */
  readonly policies: number
  /** By file, line and column. */
  readonly findings: readonly LintFinding[]
}

/**
 * Finds everything that is wrong or suspicious about a set of policies: first what refuses to load, with the same codes and places as
 * when the server starts, and then what loads and is still no good.
 *
 * What is said is certain: a policy is called shadowed, or one that never matches, only when that was proved over all requests.
 * Of policies that the project did not write itself (a profile, limits, what is built in) only errors are named.
 */
export function lintPolicies({ policyFiles, schema, people }: LintSubject): LintReport {
  const { policies } = readPolicies(policyFiles)
  const layers = new Map(policyFiles.map(({ file, layer }) => [file, layer]))
  const isOwn = ({ file }: { readonly file: string }): boolean => layers.get(file) === 'project'
  const refused = refusals(policyFiles, schema, policies)
  // A mistake is named once: what does not load is not looked at for what follows from the mistake.
  const sound = policies.filter(({ id }) => !refused.some(({ policy }) => policy === id))
  const findings = [
    ...refused,
    ...(people === undefined ? [] : findUnanswerable(policies, people)),
    ...findUnreachable(sound, schema),
    ...findConditions(sound, schema),
    ...findMissingReasons(policies.filter(isOwn)),
  ]
  const order = policyFiles.map(({ file }) => file)
  return {
    policies: policies.length,
    findings: findings
      .filter((finding) => finding.severity === 'error' || isOwn(finding))
      .toSorted(
        (a, b) =>
          order.indexOf(a.file) - order.indexOf(b.file) || a.line - b.line || a.column - b.column || (a.rule < b.rule ? -1 : 1),
      ),
  }
}

/** What keeps the set from being loaded. */
function refusals(
  files: readonly ProjectPolicyFile[],
  schema: CedarSchema,
  read: readonly LoadedPolicy[],
): readonly LintFinding[] {
  try {
    loadPolicies(files, schema)
    return []
  } catch (error) {
    if (!(error instanceof CedarError)) throw error
    if (error.issues.length === 0) throw error
    return error.issues.map((issue) => ({
      severity: 'error',
      rule: issue.code,
      ...placeOf(issue),
      policy: policyAt(issue, read),
      message: issue.message,
    }))
  }
}

function placeOf({ file, line, column }: PolicyIssue): Pick<LintFinding, 'file' | 'line' | 'column'> {
  return { file, line, column }
}

/** The policy in which an issue stands: the last one of the file that begins no later. */
function policyAt({ file, line }: PolicyIssue, policies: readonly LoadedPolicy[]): string {
  const before = policies.filter((policy) => policy.file === file && policy.line <= line)
  const within = before.filter((policy) => line < policy.line + policy.text.split('\n').length)
  return within.at(-1)?.id ?? ''
}
