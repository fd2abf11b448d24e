import { type LoadedPolicy, loadPolicies, createCedarEngine } from '@tidegate/cedar'
import { type Decision, type Outcome, resolveVerdict, writeApprovers } from '@tidegate/kernel'
import type { PolicyLayer, ProjectPolicyFile } from '@tidegate/project'
import type { CaseDocument } from './case-schema.ts'
import { type CaseFile, refuse } from './read-cases.ts'
import { type CaseGround, caseRequest } from './situation.ts'

/** What was decided in a case, and what was expected of it. */
export interface CaseResult {
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly name: string
  readonly passed: boolean
  readonly operation: string
  readonly outcome: Outcome
  /** Ids of the determining policies, those that restrict most first. */
  readonly policies: readonly string[]
  readonly reasons: readonly string[]
  /** As policies write them; empty unless the outcome is `ask`. */
  readonly approvers: string
  /** One line for each expectation that does not hold. */
  readonly differences: readonly string[]
}

/** A policy that no case exercises. */
export interface Uncovered {
  readonly id: string
  readonly file: string
  readonly line: number
}

/** What came of all cases. */
export interface CaseReport {
  readonly cases: readonly CaseResult[]
  readonly passed: number
  readonly failed: number
  /** Policies that are to be covered, and those that determined no decision in any case. */
  readonly policies: number
  readonly uncovered: readonly Uncovered[]
}

/** What cases are run against. */
export interface CaseSubject extends CaseGround {
  readonly policyFiles: readonly ProjectPolicyFile[]
  /** Policies of these layers are to be exercised. */
  readonly cover: readonly PolicyLayer[]
}

/**
 * Runs cases against the policies, by the same engine that decides in the server.
 *
 * @throws CedarError for policies that do not load; WorkbenchError `cases_invalid` for cases that speak of what is not declared.
 */
export function runCases(files: readonly CaseFile[], subject: CaseSubject): CaseReport {
  const { policyFiles, schema, cover } = subject
  const loaded = loadPolicies(policyFiles, schema)
  const engine = createCedarEngine({ policies: policyFiles, schema })
  const problems: string[] = []
  const cases = files.flatMap((file) =>
    file.document.cases.flatMap((each, index): readonly CaseResult[] => {
      const asked = caseRequest(each, file.document.defaults, subject)
      if (asked.ok)
        return [judge(file, index, each, resolveVerdict(engine.evaluate(asked.request), engine.version), asked.request.operation)]
      problems.push(...asked.findings.map((finding) => file.place({ ...finding, path: ['cases', index, ...finding.path] })))
      return []
    }),
  )
  if (problems.length > 0) throw refuse(problems)
  const counted = loaded.filter((policy) => cover.includes(layerOf(policy, policyFiles)))
  const exercised = new Set(cases.flatMap(({ policies }) => policies))
  const failed = cases.filter(({ passed }) => !passed).length
  return {
    cases,
    passed: cases.length - failed,
    failed,
    policies: counted.length,
    uncovered: counted.filter(({ id }) => !exercised.has(id)).map(({ id, file, line }) => ({ id, file, line })),
  }
}

function layerOf({ file }: LoadedPolicy, files: readonly ProjectPolicyFile[]): PolicyLayer {
  return files.find((each) => each.file === file)?.layer ?? 'project'
}

type Case = CaseDocument['cases'][number]

function judge(file: CaseFile, index: number, { name, expect }: Case, decision: Decision, operation: string): CaseResult {
  const policies = decision.policies.map(({ id }) => id)
  const approvers = writeApprovers(decision.approvers)
  const differences = [
    ...(expect.outcome === decision.outcome ? [] : [`expected ${expect.outcome}, decided ${decision.outcome}`]),
    ...(expect.policies === undefined ? [] : compare('policies', expect.policies, policies)),
    ...(expect.approvers === undefined ? [] : compare('approvers', expect.approvers.map(singly), approvers.split(', '))),
  ]
  const reasons = decision.policies.map(({ reason }) => reason)
  const at = { file: file.file, line: file.lineOf(index), name, operation }
  return { ...at, passed: differences.length === 0, outcome: decision.outcome, policies, reasons, approvers, differences }
}

function compare(what: string, expected: readonly string[], found: readonly string[]): readonly string[] {
  const present = found.filter((each) => each !== '')
  const missing = expected.filter((each) => !present.includes(each))
  const surplus = present.filter((each) => !expected.includes(each))
  return [
    ...(missing.length === 0
      ? []
      : [`${what}: expected ${missing.join(', ')}, which ${missing.length === 1 ? 'is' : 'are'} not there`]),
    ...(surplus.length === 0 ? [] : [`${what}: ${surplus.join(', ')} ${surplus.length === 1 ? 'was' : 'were'} not expected`]),
  ]
}

/** `role:a x1` and `role:a` are the same. */
function singly(approver: string): string {
  return approver.replace(/ x1$/, '')
}
