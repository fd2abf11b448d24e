import type { JsonObject } from '../canonical/json.ts'
import type { PolicyVerdict } from '../policy/decision.ts'

/** A subject or a resource as somebody who asks for a decision names it. Properties override the stored ones. */
export interface EntityReference {
  readonly type: string
  readonly id: string
  readonly properties?: JsonObject
}

/** May this subject do this to this resource? What the AuthZEN Authorization API asks, about entities of a project's own. */
export interface EntityRequest {
  readonly subject: EntityReference
  readonly action: { readonly name: string; readonly properties?: JsonObject }
  readonly resource: EntityReference
  readonly context: JsonObject
  /** Ids of the policies that an approval has satisfied. */
  readonly approvals: readonly string[]
}

/** `unknown`: the request speaks of something that is not declared, or not as it is declared; it is a denial. */
export type EntityAnswer =
  | { readonly kind: 'judged'; readonly verdict: PolicyVerdict }
  | { readonly kind: 'unknown'; readonly code: EntityUnknown; readonly message: string }

export const ENTITY_UNKNOWNS = [
  'unknown_subject_type',
  'unknown_resource_type',
  'unknown_action',
  'action_not_applicable',
  'invalid_properties',
] as const
export type EntityUnknown = (typeof ENTITY_UNKNOWNS)[number]

/**
 * Decides on entities of a project's own types, under its own policies. Synchronous and deterministic, and never throws: whatever
 * goes wrong is a verdict `broken` or an answer `unknown`, and both deny (I6).
 */
export interface EntityPolicy {
  /** Hex SHA-256 over policies, schema and stored entities. */
  readonly version: string
  evaluate(request: EntityRequest): EntityAnswer
  /** Ids of the stored entities of a type, sorted; none for a type that is not declared. */
  entities(type: string): readonly string[]
  /** Names of the actions that a subject type may be asked about on a resource type, sorted. */
  actions(subjectType: string, resourceType: string): readonly string[]
  /** Names of the context members that the policies of an action may speak of, sorted. */
  contextMembers(action: string): readonly string[]
}
