import {
  type CompiledPolicies,
  type DeterminingPolicy,
  type Explain,
  matchPolicies,
  type MatchedForbid,
  narrowPolicies,
  type PolicyEngine,
} from '@tidegate/kernel'
import { compileSources, parseExactly } from './compile-loaded.ts'
import { CedarError } from './error.ts'
import { createExplainer } from './explain.ts'
import { type LoadedPolicy, loadPolicies, type PolicyFile } from './load.ts'
import { type AskCedar, cedarAsker } from './request.ts'
import type { CedarSchema } from './schema.ts'
import { asForbid, broken, determining, verdictOf } from './verdict.ts'
import { policyVersionOf } from './version.ts'

export interface CedarEngineOptions {
  readonly policies: readonly PolicyFile[]
  readonly schema: CedarSchema
  /** What {@link loadPolicies} answered for exactly these policies and this schema: they are then not checked again. */
  readonly loaded?: readonly LoadedPolicy[]
}

/** A policy engine that can also be looked into. */
export interface CedarEngine extends PolicyEngine {
  /** In the order of files and positions. */
  readonly policies: readonly LoadedPolicy[]
  readonly explain: Explain
}

/**
 * Creates a policy engine over compiled policies, or throws a {@link CedarError} that names every mistake with its place. Cedar itself
 * parses and validates; a decision is closures behind an index of scopes, and no cache is needed.
 *
 * Two tiers in one pass: if only soft forbids (`ask`, `dry_run`) match, an approval must never hide that no policy permits the action,
 * so without a permit the verdict is `unmatched`. Any error of any policy is `broken`, where Cedar would skip the policy (I6).
 */
export function createCedarEngine({
  policies,
  schema,
  loaded = loadPolicies(policies, schema),
}: CedarEngineOptions): CedarEngine {
  const evaluate = createEvaluator(loaded, compile(loaded, schema), cedarAsker(schema))
  const version = policyVersionOf(policies, schema)
  let explain: Explain | undefined
  return {
    version,
    meters: schema.meters,
    policies: loaded,
    evaluate,
    explain(request) {
      explain ??= createExplainer({ version, policies: loaded, ask: cedarAsker(schema), evaluate, schema })
      return explain(request)
    },
  }
}

/** What is declared about an operation and its workflow: the same for each call of the one in the other. */
const DECLARED = ['environment', 'risk', 'mutability', 'dataClass', 'blastRadius', 'nature', 'reversible', 'stage']

function createEvaluator(loaded: readonly LoadedPolicy[], all: CompiledPolicies, ask: AskCedar): PolicyEngine['evaluate'] {
  const compiled = narrowPolicies(all, DECLARED)
  const permits = new Map<string, DeterminingPolicy>(loaded.map((policy) => [policy.id, determining(policy)]))
  const forbids = new Map<string, MatchedForbid>(
    loaded.flatMap((policy) => {
      const forbid = asForbid(policy)
      return forbid === undefined ? [] : [[policy.id, forbid]]
    }),
  )
  return (request) => {
    try {
      const asked = ask(request)
      if (!asked.ok) return broken(asked.message)
      const matches = matchPolicies(compiled, asked.question)
      const [failure] = matches.failures
      if (failure !== undefined) return broken(`policy ${failure.id} failed: ${failure.message}`)
      return verdictOf({ permits: named(matches.permits, permits), forbids: named(matches.forbids, forbids) })
    } catch (error) {
      return broken(`the policy engine failed: ${error instanceof Error ? error.message : 'unknown error'}`)
    }
  }
}

function named<T>(ids: readonly string[], known: ReadonlyMap<string, T>): readonly T[] {
  const found: T[] = []
  for (const id of ids) {
    const each = known.get(id)
    if (each === undefined) throw new CedarError('policy_engine', 'a policy is satisfied that was not loaded')
    found.push(each)
  }
  return found
}

/** What is loaded has been parsed and validated by Cedar; what the compiled form does not know refuses the set all the same. */
export function compile(loaded: readonly LoadedPolicy[], schema: CedarSchema): CompiledPolicies {
  return compileSources(
    loaded.map((policy) => ({ id: policy.id, policy: parseExactly(policy) })),
    schema,
  )
}
