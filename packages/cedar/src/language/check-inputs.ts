import { type CedarValueJson, type EntityJson, isAuthorized, type Schema } from '@cedar-policy/cedar-wasm/nodejs'
import type { CedarRequest, EntityUid } from '@tidegate/kernel'
import { CedarError } from '../error.ts'
import { guarded } from './exact-policy.ts'

/** What Cedar is asked to check, as JSON. */
export interface Inputs {
  readonly schema: Schema
  readonly entities: unknown
  readonly request: CedarRequest
  readonly context: unknown
}

/**
 * Lets Cedar check entities and a request against the schema, by asking it a question without policies.
 *
 * @throws CedarError `request_invalid` with Cedar's words: it does not tell what of the two is wrong in any other way.
 */
export function checkInputs({ schema, entities, request, context }: Inputs): void {
  const answer = guarded(() =>
    isAuthorized({
      principal: uidJson(request.principal),
      action: uidJson(request.action),
      resource: uidJson(request.resource),
      // Sound: Cedar checks them, which is what this is for.
      context: withSmallNumbers(context) as Record<string, CedarValueJson>,
      entities: withSmallNumbers(entities) as EntityJson[],
      schema,
      validateRequest: true,
      policies: { staticPolicies: '' },
    }),
  )
  if (answer.type === 'failure') throw new CedarError('request_invalid', answer.errors.map((error) => error.message).join('; '))
}

function uidJson({ type, id }: EntityUid): { type: string; id: string } {
  return { type, id }
}

/** Cedar's WebAssembly takes no bigint; any other number has the same type. */
export function withSmallNumbers(json: unknown): unknown {
  if (typeof json === 'bigint') return 0
  if (Array.isArray(json)) return json.map(withSmallNumbers)
  if (typeof json !== 'object' || json === null) return json
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, withSmallNumbers(value)]))
}
