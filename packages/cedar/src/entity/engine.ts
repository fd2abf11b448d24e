import { createHash } from 'node:crypto'
import {
  type CedarEntity,
  type CedarRecord,
  type EntityAnswer,
  type EntityPolicy,
  type EntityReference,
  type EntityRequest,
  type EntityStore,
  type EntityUid,
  entityUid,
  type EntityUnknown,
  type JsonObject,
  matchPolicies,
} from '@tidegate/kernel'
import { compile } from '../engine.ts'
import { loadPolicies, type PolicyFile } from '../load.ts'
import { asForbid, broken, determining, verdictOf } from '../verdict.ts'
import { policyVersionOf } from '../version.ts'
import { APPROVALS, type ActionShape, type EntitySchema, type EntityShape, readEntitySchema } from './shape.ts'
import { readStoredEntities, type StoredEntities } from './stored-entities.ts'
import { Misfit, requireMembers, seeRecord } from './value.ts'

export interface EntityPolicyOptions {
  readonly policies: readonly PolicyFile[]
  /** In Cedar's text form. */
  readonly schema: { readonly file: string; readonly text: string }
  /** In Cedar's JSON form; without it nothing is found by a search. */
  readonly entities?: { readonly file: string; readonly text: string }
}

/** The context member in which policies find the properties of the action. */
const ACTION = 'action'

/**
 * Creates a policy over entities of a project's own, or throws a CedarError that names every mistake with its place.
 *
 * A subject or a resource is the stored entity with the properties of the request over its attributes; one that is not stored is what
 * its properties say. Properties of the action are `context.action`. What the schema does not declare is not shown to policies, which
 * could not speak of it either; what it declares otherwise than it comes is a denial.
 */
export function createEntityPolicy({ policies, schema: source, entities }: EntityPolicyOptions): EntityPolicy {
  const schema = readEntitySchema(source.text)
  const stored = readStoredEntities(entities?.text ?? '[]', entities?.file ?? '', schema)
  const cedarSchema = { cedar: schema.cedar, words: {}, arguments: {}, meters: [] }
  const loaded = loadPolicies(policies, cedarSchema)
  const compiled = compile(loaded, cedarSchema)
  const byId = new Map(loaded.map((policy) => [policy.id, policy]))
  const named = (ids: readonly string[]) => ids.flatMap((id) => byId.get(id) ?? [])
  const version = createHash('sha256')
    .update(`${policyVersionOf(policies, cedarSchema)}\n${entities?.text ?? ''}`)
    .digest('hex')

  function judge(request: EntityRequest): EntityAnswer {
    const question = putQuestion(request, schema, stored)
    if ('kind' in question) return question
    const matches = matchPolicies(compiled, question.request, question.entities)
    const [failure] = matches.failures
    if (failure !== undefined) return { kind: 'judged', verdict: broken(`policy ${failure.id} failed: ${failure.message}`) }
    const forbids = named(matches.forbids).flatMap((policy) => asForbid(policy) ?? [])
    return { kind: 'judged', verdict: verdictOf({ permits: named(matches.permits).map(determining), forbids }) }
  }

  return {
    version,
    evaluate(request) {
      try {
        return judge(request)
      } catch (error) {
        if (error instanceof Misfit) return unknown('invalid_properties', error.message)
        return {
          kind: 'judged',
          verdict: broken(`the policy engine failed: ${error instanceof Error ? error.message : 'unknown error'}`),
        }
      }
    },
    entities: (type) => stored.ids.get(type) ?? [],
    actions: (subject, resource) =>
      [...schema.actions].flatMap(([name, action]) => (applies(action, subject, resource) ? [name] : [])).sort(),
    contextMembers: (name) =>
      [...(schema.actions.get(name)?.context.members.keys() ?? [])].filter((member) => member !== ACTION).sort(),
  }
}

function unknown(code: EntityUnknown, message: string): EntityAnswer {
  return { kind: 'unknown', code, message }
}

function applies({ subjects, resources }: ActionShape, subject: string, resource: string): boolean {
  return subjects.includes(subject) && resources.includes(resource)
}

interface Question {
  readonly request: {
    readonly principal: EntityUid
    readonly action: EntityUid
    readonly resource: EntityUid
    readonly context: CedarRecord
  }
  readonly entities: EntityStore
}

/** Puts a request into Cedar's terms. Throws {@link Misfit} for what does not fit. */
function putQuestion(request: EntityRequest, schema: EntitySchema, stored: StoredEntities): Question | EntityAnswer {
  const { subject, action, resource } = request
  const [subjectShape, resourceShape] = [schema.types.get(subject.type), schema.types.get(resource.type)]
  if (subjectShape === undefined) return unknown('unknown_subject_type', 'the schema has no such type of subjects')
  if (resourceShape === undefined) return unknown('unknown_resource_type', 'the schema has no such type of resources')
  const actionShape = schema.actions.get(action.name)
  if (actionShape === undefined) return unknown('unknown_action', 'the schema has no such action')
  if (!applies(actionShape, subject.type, resource.type))
    return unknown('action_not_applicable', 'the schema does not let this type of subjects do this to this type of resources')
  const [principal, object] = [entityUid(subject.type, subject.id), entityUid(resource.type, resource.id)]
  const overlay = [
    overlaid(principal, 'subject', subject, subjectShape, stored.store),
    overlaid(object, 'resource', resource, resourceShape, stored.store),
  ]
  return {
    request: { principal, action: entityUid('Action', action.name), resource: object, context: contextOf(request, actionShape) },
    entities: {
      size: stored.store.size,
      find: (uid) => overlay.find((entity) => entity.uid.id === uid.id && entity.uid.type === uid.type) ?? stored.store.find(uid),
    },
  }
}

function contextOf({ context, action, approvals }: EntityRequest, { context: shape }: ActionShape): CedarRecord {
  // Ours, whatever the request says: the properties of the action, and what an approval has satisfied.
  const { [ACTION]: _, ...others } = context
  const given: JsonObject = action.properties === undefined ? others : { ...others, [ACTION]: action.properties }
  const seen = seeRecord(given, shape, 'context')
  requireMembers(seen, shape, 'context')
  return { ...seen, [APPROVALS]: approvals }
}

/** The entity that a request is about: what is stored of it, and over that what the request says. */
function overlaid(
  uid: EntityUid,
  name: string,
  { properties = {} }: EntityReference,
  shape: EntityShape,
  store: EntityStore,
): CedarEntity {
  if (shape.ids !== undefined && !shape.ids.has(uid.id)) throw new Misfit(`${name}.id`, 'one of those that the schema lists')
  const known = store.find(uid)
  const path = `${name}.properties`
  const attrs = { ...known?.attrs, ...seeRecord(properties, shape.attributes, path) }
  requireMembers(attrs, shape.attributes, path)
  return {
    uid,
    attrs,
    parents: known?.parents ?? [],
    ancestors: known?.ancestors ?? [],
    isBelow: (above) => known?.isBelow(above) ?? false,
  }
}
