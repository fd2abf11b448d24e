import { policyToJson } from '@cedar-policy/cedar-wasm/nodejs'
import {
  type CedarRecord,
  type CedarRequest,
  createEntities,
  decodeUid,
  decodeValue,
  type EntityData,
  type EntityStore,
  type EntityUid,
  KernelError,
  recordOf,
  uidText,
} from '@tidegate/kernel'
import { CedarError, type CedarErrorCode } from '../error.ts'
import { guarded } from './exact-policy.ts'
import type { SchemaTypes } from './schema-types.ts'
import { decodeTyped, decodeTypedRecord } from './typed-value.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * Reads entities in Cedar's JSON form, by the schema when there is one. The actions of the schema need not be among them.
 *
 * @throws CedarError `entities_invalid` that names the entity.
 */
export function readEntities(json: unknown, schema: SchemaTypes | undefined): EntityStore {
  if (!Array.isArray(json)) throw new CedarError('entities_invalid', 'entities are a list')
  const seen = new Map<string, string>()
  const entities = json.flatMap((each: unknown): readonly EntityData[] => {
    const fields = fieldsOf(each)
    const uid = decodeUid(fields.uid)
    if (uid === undefined) throw new CedarError('entities_invalid', 'an entity needs a uid: {"type": "...", "id": "..."}')
    const name = uidText(uid)
    const text = JSON.stringify(each, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))
    if (seen.get(name) === text) return []
    seen.set(name, text)
    return [translated('entities_invalid', name, () => readEntity(uid, fields, schema))]
  })
  return translated('entities_invalid', 'the entities', () => createEntities(entities))
}

/**
 * Reads a request in Cedar's JSON form. Entities are written as `{"type", "id"}` or as text, `User::"alice"`.
 *
 * @throws CedarError `request_invalid` that names the part.
 */
export function readRequest(json: unknown, schema: SchemaTypes | undefined): CedarRequest {
  const fields = fieldsOf(json)
  const action = readUid(fields.action, 'action')
  const type = schema?.contextOf(action)
  const context = fields.context ?? {}
  return {
    principal: readUid(fields.principal, 'principal'),
    action,
    resource: readUid(fields.resource, 'resource'),
    context: translated('request_invalid', 'context', () =>
      type?.kind === 'record' ? decodeTypedRecord(context, type) : asContext(context),
    ),
  }
}

function readEntity(uid: EntityUid, fields: Fields, schema: SchemaTypes | undefined): EntityData {
  const isAction = /(?:^|::)Action$/.test(uid.type)
  const types = isAction ? undefined : schema?.entityTypes(uid.type)
  if (schema !== undefined && types === undefined && !isAction)
    throw new KernelError('cedar_value', `the schema has no entity type ${uid.type}`)
  const attrs = recordOf(
    Object.entries(fieldsOf(fields.attrs)).map(([name, value]) => {
      const expected = types?.attributes.get(name)
      if (types !== undefined && expected === undefined)
        throw new KernelError('cedar_value', `the schema has no attribute "${name}" here`)
      return [name, expected === undefined ? decodeValue(value) : decodeTyped(value, expected.type)]
    }),
  )
  const tags = recordOf(
    Object.entries(fieldsOf(fields.tags)).map(([name, value]) => {
      if (types !== undefined && types.tags === undefined) throw new KernelError('cedar_value', 'the schema has no tags here')
      return [name, types?.tags === undefined ? decodeValue(value) : decodeTyped(value, types.tags)]
    }),
  )
  const parents = Array.isArray(fields.parents) ? fields.parents : []
  return { uid, attrs, tags, parents: parents.map((parent: unknown) => parentOf(parent)) }
}

function parentOf(json: unknown): EntityUid {
  const uid = decodeUid(json)
  if (uid === undefined) throw new KernelError('cedar_value', 'a parent must name an entity')
  return uid
}

/** Text goes through Cedar's parser, as part of a policy that says nothing else: what says more is no name. */
function readUid(json: unknown, part: string): EntityUid {
  const uid = typeof json === 'string' ? uidOfText(json) : decodeUid(json)
  if (uid === undefined) throw new CedarError('request_invalid', `the ${part} must name an entity, such as User::"alice"`)
  return uid
}

function uidOfText(text: string): EntityUid | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]*(?:::[A-Za-z_][A-Za-z0-9_]*)*::"(?:[^"\\]|\\[\s\S])*"$/.test(text)) return undefined
  const answer = guarded(() => policyToJson(`permit (principal == ${text}, action, resource);`))
  if (answer.type === 'failure' || answer.json.principal.op !== '==' || !('entity' in answer.json.principal)) return undefined
  return decodeUid(answer.json.principal.entity)
}

function asContext(json: unknown): CedarRecord {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new KernelError('cedar_value', 'the context is an object')
  return recordOf(Object.entries(json).map(([name, value]) => [name, decodeValue(value)]))
}

function fieldsOf(json: unknown): Fields {
  return typeof json === 'object' && json !== null && !Array.isArray(json) ? Object.fromEntries(Object.entries(json)) : {}
}

function translated<T>(code: CedarErrorCode, what: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof KernelError) throw new CedarError(code, `${what}: ${cause.message}`, { cause })
    throw cause
  }
}
