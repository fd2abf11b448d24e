import {
  type AuthorizationAnswer,
  type EntityJson as CedarEntityJson,
  type CedarValueJson,
  isAuthorized,
  type PolicySet,
  preparsePolicySet,
  statefulIsAuthorized,
} from '@cedar-policy/cedar-wasm/nodejs'
import {
  authorize,
  callConstructor,
  type CedarRecord,
  type CedarRequest,
  type CedarValue,
  type CompiledPolicies,
  compilePolicies,
  createEntities,
  decodeEntityEscape,
  decodeValue,
  type EntityData,
  type EntityStore,
  type EntityUid,
  entityUid,
  extensionEscape,
  type PolicySource,
  recordOf,
} from '@tidegate/kernel'
import { parsePolicyExactly } from '../../src/language/exact-policy.ts'
import {
  type CedarJson,
  type DrawnPolicy,
  type DrawnRequest,
  type EntityJson,
  printPolicy,
  type UidJson,
  type World,
} from './generate-world.ts'

/** What one side says, in one form: the decision, the policies that made it, and each failure with its words. */
export interface Said {
  readonly decision: string
  readonly reason: readonly string[]
  readonly errors: readonly string[]
}

/** How the kernel gets the same world: `actions` are compiled in or come with the entities, the context is decoded or plain. */
export interface Way {
  readonly actions: 'compiled' | 'entities'
  readonly context: 'decoded' | 'plain'
}

export const WAYS: readonly Way[] = [
  { actions: 'compiled', context: 'plain' },
  { actions: 'entities', context: 'decoded' },
]

/** Our side of a world, ready to be asked. */
export interface Ours {
  readonly compiled: CompiledPolicies
  readonly entities: EntityStore
}

/** Policies of the world as the kernel takes them. Parsing costs the most: do it once per world. */
export function parseSources(policies: readonly DrawnPolicy[]): readonly PolicySource[] {
  return policies.flatMap(sourcesOf)
}

export function prepareOurs(world: Pick<World, 'entities'>, sources: readonly PolicySource[], way: Way): Ours {
  const entities = world.entities.map(readEntity)
  const isAction = ({ uid }: EntityData) => uid.type === 'Action'
  const inside = way.actions === 'compiled'
  return {
    compiled: compilePolicies(sources, inside ? { actions: entities.filter(isAction) } : {}),
    entities: createEntities(inside ? entities.filter((entity) => !isAction(entity)) : entities),
  }
}

/** What we say, with the failures' kinds besides. */
export function askOurs(ours: Ours, request: DrawnRequest, way: Way): Said & { readonly kinds: readonly string[] } {
  const asked = readWorldRequest(request, way)
  const { decision, determining, errors } = authorize(ours.compiled, asked, ours.entities)
  return {
    decision,
    reason: determining,
    errors: errors.map(({ id, message }) => `${id}: ${message}`),
    kinds: errors.map(({ kind }) => kind),
  }
}

export function readWorldRequest(
  request: DrawnRequest,
  { context }: Pick<Way, 'context'> = { context: 'decoded' },
): CedarRequest {
  return {
    principal: readUid(request.principal),
    action: readUid(request.action),
    resource: readUid(request.resource),
    context: context === 'plain' ? plainRecord(request.context) : recordOfJson(request.context),
  }
}

/** Loads policies into Cedar under the name, over what was there. */
export function prepareCedar(name: string, policies: readonly DrawnPolicy[]): void {
  const answer = preparsePolicySet(name, policySetOf(policies))
  if (answer.type === 'failure') throw new Error(answer.errors.map((error) => error.message).join('\n'))
}

/** What Cedar says, with the policies that were loaded under the name. */
export function askCedar(name: string, entities: readonly EntityJson[], request: DrawnRequest): Said {
  return saidBy(statefulIsAuthorized({ ...questionOf(request, entities), preparsedPolicySetId: name }))
}

/** What Cedar says, with policies of this one question. */
export function askCedarOnce({ policies, entities }: Pick<World, 'policies' | 'entities'>, request: DrawnRequest): Said {
  return saidBy(isAuthorized({ ...questionOf(request, entities), policies: policySetOf(policies) }))
}

function questionOf(request: DrawnRequest, entities: readonly EntityJson[]) {
  return {
    principal: { ...request.principal },
    action: { ...request.action },
    resource: { ...request.resource },
    // Sound: both are Cedar's JSON, drawn as such; Cedar's types only lack readonly.
    context: request.context as Record<string, CedarValueJson>,
    entities: entities as unknown as CedarEntityJson[],
    validateRequest: false,
  }
}

function policySetOf(policies: readonly DrawnPolicy[]): PolicySet {
  const named = (template: boolean) =>
    policies.filter(({ links }) => links.length > 0 === template).map((policy) => [policy.id, printPolicy(policy)])
  return {
    staticPolicies: Object.fromEntries(named(false)) as Record<string, string>,
    templates: Object.fromEntries(named(true)) as Record<string, string>,
    templateLinks: policies.flatMap(({ id: templateId, links }) =>
      links.map(({ id: newId, values }) => ({ templateId, newId, values: { ...values } })),
    ),
  }
}

function saidBy(answer: AuthorizationAnswer): Said {
  if (answer.type === 'failure') throw new Error(answer.errors.map((error) => error.message).join('\n'))
  const { decision, diagnostics } = answer.response
  return {
    decision,
    reason: diagnostics.reason.toSorted(),
    errors: diagnostics.errors
      .toSorted((a, b) => (a.policyId < b.policyId ? -1 : 1))
      .map(({ policyId, error }) => `${policyId}: ${error.message}`),
  }
}

function sourcesOf(drawn: DrawnPolicy): readonly PolicySource[] {
  const parsed = parsePolicyExactly(printPolicy(drawn))
  if (!parsed.ok) throw new Error(`${parsed.errors.map((error) => error.message).join('\n')}\n${printPolicy(drawn)}`)
  if (drawn.links.length === 0) return [{ id: drawn.id, policy: parsed.policy }]
  return drawn.links.map(({ id, values }) => ({
    id,
    policy: parsed.policy,
    slots: Object.fromEntries(Object.entries(values).map(([slot, uid]) => [slot, readUid(uid)])),
  }))
}

function readEntity({ uid, attrs, parents, tags }: EntityJson): EntityData {
  return { uid: readUid(uid), attrs: recordOfJson(attrs), parents: parents.map(readUid), tags: recordOfJson(tags) }
}

function readUid({ type, id }: UidJson): EntityUid {
  return entityUid(type, id)
}

function recordOfJson(json: { readonly [name: string]: CedarJson }): CedarRecord {
  return recordOf(Object.entries(json).map(([name, value]) => [name, decodeValue(value)]))
}

/** The context as a caller would write it: plain arrays and objects, instances only where there is no plain form. */
function plainRecord(json: { readonly [name: string]: CedarJson }): CedarRecord {
  return recordOf(Object.entries(json).map(([name, value]) => [name, plain(value)]))
}

function plain(json: CedarJson): CedarValue {
  if (typeof json !== 'object') return json
  if (isList(json)) return json.map(plain)
  const called = extensionEscape(json)
  if (called !== undefined) return callConstructor(called.name, called.args.map(decodeScalarText))
  return decodeEntityEscape(json) ?? plainRecord(json)
}

function decodeScalarText(arg: unknown): CedarValue {
  return decodeValue(arg)
}

function isList(json: CedarJson): json is readonly CedarJson[] {
  return Array.isArray(json)
}
