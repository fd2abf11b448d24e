import type { Schema, TemplateLink } from '@cedar-policy/cedar-wasm/nodejs'
import {
  authorize,
  authorizeNarrowly,
  type CedarAnswer,
  type CedarRequest,
  type EntityStore,
  NO_ENTITIES,
  type NarrowAnswer,
} from '@tidegate/kernel'
import { type CompiledCedar, type CompileCedarOptions, compileCedar } from './compile.ts'
import { parseExactJson } from './language/exact-json.ts'
import { checkInputs } from './language/check-inputs.ts'
import { readEntities, readRequest } from './language/request-file.ts'
import type { PolicyFile } from './load.ts'

/** Files as Cedar's own tools take them. `file` is what errors call them. */
export interface AuthorizeFilesOptions {
  /** Cedar's text, or its JSON form when the name ends in `.json`. */
  readonly policies: readonly PolicyFile[]
  /** Cedar's schema text, or its JSON form when the name ends in `.json`. */
  readonly schema?: PolicyFile
  readonly entities?: PolicyFile
  /** `{principal, action, resource, context}` in JSON. */
  readonly request: PolicyFile
  readonly links?: readonly TemplateLink[]
  readonly ids?: CompileCedarOptions['ids']
}

export interface FilesAnswer {
  /** As Cedar decides. */
  readonly cedar: CedarAnswer
  /** As Tidegate decides: any error denies. */
  readonly narrow: NarrowAnswer
  readonly compiled: CompiledCedar
  readonly request: CedarRequest
  readonly entities: EntityStore
}

/**
 * Decides one request over files. With a schema, policies, entities and request are all checked against it by Cedar first.
 *
 * @throws CedarError for anything that is wrong with a file.
 */
export function authorizeFiles(options: AuthorizeFilesOptions): FilesAnswer {
  const { policies, links = [], ids = 'position' } = options
  const schema = options.schema === undefined ? undefined : readSchemaFile(options.schema)
  const compiled = compileCedar({ policies, links, ids, ...(schema === undefined ? {} : { schema }) })
  const entitiesJson =
    options.entities === undefined ? [] : parseExactJson(options.entities.text, options.entities.file, 'entities_invalid')
  const requestJson = parseExactJson(options.request.text, options.request.file, 'request_invalid')
  const entities = options.entities === undefined ? NO_ENTITIES : readEntities(entitiesJson, compiled.schema)
  const request = readRequest(requestJson, compiled.schema)
  if (schema !== undefined) checkInputs({ schema, entities: entitiesJson, request, context: contextOf(requestJson) })
  return {
    cedar: authorize(compiled.compiled, request, entities),
    narrow: authorizeNarrowly(compiled.compiled, request, entities),
    compiled,
    request,
    entities,
  }
}

/** A schema file as Cedar takes it. @throws CedarError `schema_invalid` for JSON that is none. */
export function readSchemaFile({ file, text }: PolicyFile): Schema {
  if (!file.endsWith('.json')) return text
  return parseExactJson(text, file, 'schema_invalid') as Schema // sound: Cedar reads it next, and refuses what is no schema
}

function contextOf(request: unknown): unknown {
  return typeof request === 'object' && request !== null && 'context' in request ? request.context : {}
}
