import {
  createEntities,
  decodeUid,
  type EntityData,
  type EntityStore,
  isObject,
  type Json,
  type JsonObject,
  KernelError,
  parseJson,
  uidText,
} from '@tidegate/kernel'
import { CedarError } from '../error.ts'
import type { EntitySchema } from './shape.ts'
import { Misfit, requireMembers, seeRecord } from './value.ts'

/** The largest file of entities, in bytes. */
export const MAX_ENTITIES_BYTES = 33_554_432

/** Entities that a project knows by name. */
export interface StoredEntities {
  readonly store: EntityStore
  /** Type -> ids, sorted. */
  readonly ids: ReadonlyMap<string, readonly string[]>
}

/**
 * Reads entities in Cedar's JSON form: a list of `{"uid": {"type", "id"}, "attrs": {}, "parents": [{"type", "id"}]}`, by the schema.
 * Unlike the properties of a request, an attribute that is not declared is a mistake.
 *
 * @throws CedarError `entities_invalid` that names the entity and the file.
 */
export function readStoredEntities(text: string, file: string, schema: EntitySchema): StoredEntities {
  const refuse = (message: string, cause?: unknown): CedarError =>
    new CedarError('entities_invalid', `${file}: ${message}`, { cause })
  try {
    const json = parseJson(text, { maxBytes: MAX_ENTITIES_BYTES })
    if (!Array.isArray(json)) throw refuse('expected a list of entities')
    const entities = (json as readonly Json[]).map((item, i) =>
      readEntity(item, schema, (message) => refuse(`entity ${i + 1}: ${message}`)),
    )
    const groups = Map.groupBy(entities, ({ uid }) => uid.type)
    const ids = [...groups].map(([type, list]) => [type, list.map(({ uid }) => uid.id).sort()] as const)
    return { store: createEntities(entities), ids: new Map(ids) }
  } catch (cause) {
    if (cause instanceof KernelError) throw refuse(cause.message, cause)
    throw cause
  }
}

function readEntity(json: Json, schema: EntitySchema, refuse: (message: string) => CedarError): EntityData {
  if (!isObject(json)) throw refuse('expected an object')
  const { uid: named, attrs = {}, parents = [], ...others } = json
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) throw refuse(`"${unknown.slice(0, 60)}" is not known; there are uid, attrs and parents`)
  const uid = decodeUid(named)
  const shape = uid === undefined ? undefined : schema.types.get(uid.type)
  if (uid === undefined || shape === undefined) throw refuse('its uid is not {"type", "id"} with a type of the schema')
  if (shape.ids !== undefined && !shape.ids.has(uid.id)) throw refuse(`${uidText(uid)} is not one of the ids of its type`)
  if (!isObject(attrs)) throw refuse('its attrs are not an object')
  const foreign = Object.keys(attrs).find((name) => !shape.attributes.members.has(name))
  if (foreign !== undefined) throw refuse(`the schema has no attribute "${foreign.slice(0, 60)}" of ${uid.type}`)
  const above = Array.isArray(parents) ? (parents as readonly Json[]).map(decodeUid) : [undefined]
  const known = above
    .filter((parent) => parent !== undefined && schema.types.has(parent.type))
    .filter((parent) => parent !== undefined)
  if (known.length < above.length) throw refuse('its parents are not a list of {"type", "id"} with types of the schema')
  return { uid, attrs: attributesOf(attrs, shape.attributes, refuse), parents: known }
}

function attributesOf(
  attrs: JsonObject,
  shape: Parameters<typeof seeRecord>[1],
  refuse: (message: string) => CedarError,
): EntityData['attrs'] {
  try {
    const seen = seeRecord(attrs, shape, 'attrs')
    requireMembers(seen, shape, 'attrs')
    return seen
  } catch (error) {
    if (error instanceof Misfit) throw refuse(error.message)
    throw error
  }
}
