import { createHash } from 'node:crypto'
import {
  type AuthorizationAnswer,
  preparsePolicySet,
  preparseSchema,
  statefulIsAuthorized,
} from '@cedar-policy/cedar-wasm/nodejs'
import type { DeterminingPolicy, MatchedForbid, PolicyEngine, PolicyVerdict } from '@tidegate/kernel'
import { canonicalJson, type Json } from '@tidegate/kernel'
import { createAnswerCache } from './cache.ts'
import { CedarError } from './error.ts'
import { type LoadedPolicy, loadPolicies, type PolicyFile } from './load.ts'
import { type CedarQuestion, cedarQuestion } from './request.ts'
import type { CedarSchema } from './schema.ts'

export interface CedarEngineOptions {
  readonly policies: readonly PolicyFile[]
  readonly schema: CedarSchema
  /** How many verdicts are kept for requests that are asked again; 0 for none. */
  readonly cacheSize?: number
}

const DEFAULT_CACHE_SIZE = 1_024
const MAX_MESSAGE_LENGTH = 300

/**
 * Creates a policy engine over Cedar's own evaluator, or throws a {@link CedarError} that names every mistake with its place.
 *
 * Two tiers. If only soft forbids (`ask`, `dry_run`) match, the request is evaluated again without them: an approval must never hide
 * that no policy permits the action, so without a permit the verdict is `unmatched`. Any error of any policy is `broken`, where Cedar
 * would skip the policy (I6).
 *
 * A verdict depends on the policies, the schema and the request alone, all of which make up the key of the cache, so that a kept
 * verdict is the one that would be computed; a crash of Cedar is never kept. Policy sets stay in Cedar's memory until the process ends.
 */
export function createCedarEngine({ policies, schema, cacheSize = DEFAULT_CACHE_SIZE }: CedarEngineOptions): PolicyEngine {
  const loaded = loadPolicies(policies, schema)
  const version = versionOf(policies, schema)
  const evaluator = prepare(version, loaded, schema)
  const cache = createAnswerCache<PolicyVerdict>(cacheSize)
  return {
    version,
    evaluate(request) {
      try {
        const asked = cedarQuestion(request)
        if (!asked.ok) return broken(asked.message)
        return cache.answer(JSON.stringify(asked.question), () => decide(asked.question, evaluator))
      } catch (error) {
        return broken(`the policy engine failed: ${error instanceof Error ? error.message : 'unknown error'}`)
      }
    },
  }
}

/** Cedar with a set of policies loaded, and what the annotations of these policies say. */
interface Evaluator {
  readonly all: (question: CedarQuestion) => AuthorizationAnswer
  readonly withoutSoft: (question: CedarQuestion) => AuthorizationAnswer
  readonly find: ReadonlyMap<string, LoadedPolicy>
}

function prepare(version: string, loaded: readonly LoadedPolicy[], schema: CedarSchema): Evaluator {
  const schemaName = `tidegate:${version}`
  const ready = preparseSchema(schemaName, schema.cedar)
  if (ready.type === 'failure') throw new CedarError('schema_invalid', ready.errors.map((error) => error.message).join('; '))
  const evaluatorOf = (tier: string, policies: readonly LoadedPolicy[]) => {
    const id = `tidegate:${version}:${tier}`
    const answer = preparsePolicySet(id, {
      staticPolicies: Object.fromEntries(policies.map((policy) => [policy.id, policy.text])),
    })
    if (answer.type === 'failure') throw new CedarError('policy_engine', answer.errors.map((error) => error.message).join('; '))
    const loadedAs = { preparsedPolicySetId: id, preparsedSchemaName: schemaName, validateRequest: true, entities: [] }
    return (question: CedarQuestion) => statefulIsAuthorized({ ...question, ...loadedAs })
  }
  return {
    all: evaluatorOf('all', loaded),
    withoutSoft: evaluatorOf(
      'hard',
      loaded.filter(({ outcome }) => outcome === 'allow' || outcome === 'deny'),
    ),
    find: new Map(loaded.map((policy) => [policy.id, policy])),
  }
}

function decide(question: CedarQuestion, evaluator: Evaluator): PolicyVerdict {
  const { decision, because } = read(evaluator.all(question), evaluator)
  if (decision === 'broken') return broken(because)
  if (decision === 'allow')
    return { kind: 'permitted', permits: because.map(({ id, reason }): DeterminingPolicy => ({ id, reason })) }
  const forbids = because.flatMap(asForbid)
  if (forbids.length === 0) return { kind: 'unmatched' }
  if (forbids.some((forbid) => forbid.outcome === 'deny')) return { kind: 'forbidden', forbids }
  const underneath = read(evaluator.withoutSoft(question), evaluator)
  return underneath.decision === 'allow' ? { kind: 'forbidden', forbids } : { kind: 'unmatched' }
}

type Reading =
  | { readonly decision: 'allow' | 'deny'; readonly because: readonly LoadedPolicy[] }
  | { readonly decision: 'broken'; readonly because: string }

/** Cedar's answer, with its policies sorted by id. Anything unexpected about it is `broken`. */
function read(answer: AuthorizationAnswer, { find }: Evaluator): Reading {
  if (answer.type === 'failure') return { decision: 'broken', because: answer.errors.map((error) => error.message).join('; ') }
  const { decision, diagnostics } = answer.response
  // Cedar lists errors in no order; the message goes into the ledger, and a decision recomputed later must be the same.
  const [error] = diagnostics.errors.toSorted((a, b) => (a.policyId < b.policyId ? -1 : 1))
  if (error !== undefined) return { decision: 'broken', because: `policy ${error.policyId} failed: ${error.error.message}` }
  const because = diagnostics.reason.toSorted().flatMap((id) => find.get(id) ?? [])
  if (because.length !== diagnostics.reason.length)
    return { decision: 'broken', because: 'Cedar named a policy that was not loaded' }
  return { decision, because }
}

function asForbid({ id, reason, outcome, approvers }: LoadedPolicy): readonly MatchedForbid[] {
  return outcome === 'allow' ? [] : [{ id, reason, outcome, approvers }]
}

function broken(message: string): PolicyVerdict {
  return { kind: 'broken', message: message.slice(0, MAX_MESSAGE_LENGTH) }
}

/** The order of files and their names have no meaning, so they have no part in the version. */
function versionOf(policies: readonly PolicyFile[], schema: CedarSchema): string {
  const policyTexts = policies.map((policy) => policy.text).toSorted()
  const content = { policies: policyTexts, schema: JSON.parse(JSON.stringify(schema)) as Json }
  return createHash('sha256').update(canonicalJson(content)).digest('hex')
}
