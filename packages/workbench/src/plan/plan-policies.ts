import { CedarError, createCedarEngine, type CedarEngine, describePolicies, readPolicies, type PolicyFile } from '@tidegate/cedar'
import { diffPolicySets, type PolicyDiff } from '@tidegate/kernel'
import type { Project } from '@tidegate/project'
import { lintPolicies, type LintReport } from '../lint/lint-policies.ts'
import { type DecisionDiff, diffDecisions } from './decision-diff.ts'

/** What a change of policies would change. */
export interface PolicyPlan {
  readonly diff: PolicyDiff
  /** Of the new policies. One error, and they cannot be put in force. */
  readonly lint: LintReport
  /** Null when one of the two sets does not load. */
  readonly decisions: DecisionDiff | null
  /** Why there is no comparison of decisions; empty when there is one. */
  readonly notCompared: string
}

/** What is planned. */
export interface PlanOptions {
  /** The policies in force, or whatever the project is compared with. */
  readonly before: readonly PolicyFile[]
  /** Requests that are decided under both sets. */
  readonly samples: number
}

/**
 * Compares the policies of a project with others: what differs by meaning, what the lint says of the new ones, and which decisions
 * change. What is built in is part of both, and not described. Decisions are compared under the project as it is declared now; policies that do not fit it any more are only described.
 */
export function planPolicies(
  {
    policyFiles,
    schema,
    configuration,
    operations,
    workflows,
  }: Pick<Project, 'policyFiles' | 'schema' | 'configuration' | 'operations' | 'workflows'>,
  { before, samples }: PlanOptions,
): PolicyPlan {
  const builtin = new Set(policyFiles.filter(({ layer }) => layer === 'builtin').map(({ file }) => file))
  const [old, fresh] = [before, policyFiles].map((files) => {
    const own = files.filter(({ file }) => !builtin.has(file))
    return describePolicies(readPolicies(own).policies)
  })
  const diff = diffPolicySets(old ?? [], fresh ?? [])
  const lint = lintPolicies({ policyFiles, schema, people: configuration.people })
  const engines = { before: load(before), after: load(policyFiles) }
  if (typeof engines.after === 'string')
    return { diff, lint, decisions: null, notCompared: `the new policies do not load: ${engines.after}` }
  if (typeof engines.before === 'string')
    return { diff, lint, decisions: null, notCompared: `the policies before do not fit this project: ${engines.before}` }
  const ground = { before: engines.before, after: engines.after, schema, operations, budget: samples }
  const decisions = diffDecisions({ ...ground, workflows: workflows.map(({ workflow }) => workflow) }, diff)
  return { diff, lint, decisions, notCompared: '' }

  function load(policies: readonly PolicyFile[]): CedarEngine | string {
    try {
      return createCedarEngine({ policies, schema })
    } catch (error) {
      if (error instanceof CedarError) return error.message
      throw error
    }
  }
}
