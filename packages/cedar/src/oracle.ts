import {
  type AuthorizationAnswer,
  type CedarValueJson,
  preparsePolicySet,
  preparseSchema,
  statefulIsAuthorized,
} from '@cedar-policy/cedar-wasm/nodejs'
import {
  CedarDatetime,
  CedarDecimal,
  type CedarRecord,
  type CedarRequest,
  type CedarValue,
  type EntityUid,
  type PolicyEngine,
  type PolicyVerdict,
} from '@tidegate/kernel'
import { CedarError } from './error.ts'
import { type LoadedPolicy, loadPolicies, type PolicyFile } from './load.ts'
import { cedarAsker } from './request.ts'
import type { CedarSchema } from './schema.ts'
import { asForbid, broken, determining, verdictOf } from './verdict.ts'
import { policyVersionOf } from './version.ts'

/**
 * Creates a policy engine over Cedar's own evaluator: what the compiled engine is compared with. Slow (a fraction of a millisecond per
 * hundred policies), and what it loads stays in Cedar's memory until the process ends: for tests and checks.
 *
 * It answers as the compiled engine does, apart from the words of a message about a policy that fails.
 */
export function createOracleEngine({ policies, schema }: { policies: readonly PolicyFile[]; schema: CedarSchema }): PolicyEngine {
  const loaded = loadPolicies(policies, schema)
  const version = policyVersionOf(policies, schema)
  const evaluator = prepare(version, loaded, schema)
  const ask = cedarAsker(schema)
  return {
    version,
    evaluate(request) {
      try {
        const asked = ask(request)
        return asked.ok ? decide(asked.question, evaluator) : broken(asked.message)
      } catch (error) {
        return broken(`the policy engine failed: ${error instanceof Error ? error.message : 'unknown error'}`)
      }
    },
  }
}

/** Cedar with a set of policies loaded. It names only the forbids when both match, so permits are asked for by themselves. */
interface Evaluator {
  readonly all: (question: CedarRequest) => AuthorizationAnswer
  readonly permits: (question: CedarRequest) => AuthorizationAnswer
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
    return (question: CedarRequest) => statefulIsAuthorized({ ...inJson(question, schema.meters), ...loadedAs })
  }
  return {
    all: evaluatorOf('all', loaded),
    permits: evaluatorOf(
      'permits',
      loaded.filter(({ effect }) => effect === 'permit'),
    ),
    find: new Map(loaded.map((policy) => [policy.id, policy])),
  }
}

function decide(question: CedarRequest, evaluator: Evaluator): PolicyVerdict {
  const all = read(evaluator.all(question), evaluator)
  if (typeof all === 'string') return broken(all)
  const permits = read(evaluator.permits(question), evaluator)
  if (typeof permits === 'string') return broken(permits)
  return verdictOf({ permits: permits.map(determining), forbids: all.flatMap((policy) => asForbid(policy) ?? []) })
}

/** The policies that Cedar names, sorted by id; or in words, what was unexpected about its answer. */
function read(answer: AuthorizationAnswer, { find }: Evaluator): readonly LoadedPolicy[] | string {
  if (answer.type === 'failure') return answer.errors.map((error) => error.message).join('; ')
  const { diagnostics } = answer.response
  // Cedar lists errors in no order; the message goes into the ledger, and a decision recomputed later must be the same.
  const [error] = diagnostics.errors.toSorted((a, b) => (a.policyId < b.policyId ? -1 : 1))
  if (error !== undefined) return `policy ${error.policyId} failed: ${error.error.message}`
  const because = diagnostics.reason.toSorted().flatMap((id) => find.get(id) ?? [])
  return because.length === diagnostics.reason.length ? because : 'Cedar named a policy that was not loaded'
}

/** Cedar refuses attributes that the schema does not have; the compiled form does not see them. */
function inJson({ principal, action, resource, context }: CedarRequest, meters: readonly string[]) {
  const shown = context.meters as CedarRecord // sound: the check of facts has looked at it
  const uid = ({ type, id }: EntityUid) => ({ type, id })
  return {
    principal: uid(principal),
    action: uid(action),
    resource: uid(resource),
    context: {
      ...Object.fromEntries(Object.entries(context).map(([name, value]) => [name, valueInJson(value)])),
      meters: Object.fromEntries(meters.map((name) => [name, valueInJson(shown[name] ?? 0)])),
    },
  }
}

/** Records come from schemas that have none of Cedar's escapes as keys, so nothing in one can be read as anything else. */
function valueInJson(value: CedarValue): CedarValueJson {
  if (value instanceof CedarDecimal) return { __extn: { fn: 'decimal', arg: decimalText(BigInt(value.scaled)) } }
  if (value instanceof CedarDatetime) return { __extn: { fn: 'datetime', arg: new Date(Number(value.epochMs)).toISOString() } }
  if (Array.isArray(value)) return (value as readonly CedarValue[]).map(valueInJson)
  if (typeof value !== 'object') return value as CedarValueJson // sound: texts, booleans and safe integers are the same in JSON
  return Object.fromEntries(
    Object.entries(value as Readonly<Record<string, CedarValue>>).map(([name, each]) => [name, valueInJson(each)]),
  )
}

function decimalText(scaled: bigint): string {
  const digits = String(scaled < 0n ? -scaled : scaled).padStart(5, '0')
  return `${scaled < 0n ? '-' : ''}${digits.slice(0, -4)}.${digits.slice(-4)}`
}
