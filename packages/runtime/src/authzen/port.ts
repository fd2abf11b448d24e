import type { Decision, EntityReference, JsonObject } from '@tidegate/kernel'

/** One question of the AuthZEN Authorization API 1.0 (section 6.1): may this subject do this to this resource, in this context? */
export interface EvaluationRequest {
  readonly subject: EntityReference
  readonly action: { readonly name: string; readonly properties?: JsonObject }
  readonly resource: EntityReference
  readonly context: JsonObject
}

/** Its answer. `decision` is all that counts; `context` says why. */
export interface EvaluationAnswer {
  readonly decision: boolean
  readonly context: JsonObject
}

/** `unknown`: the request speaks of something that nobody declared, and is denied for that. `stopped`: a stop covers it. */
export type Judgement =
  | { readonly kind: 'decided'; readonly decision: Decision }
  | { readonly kind: 'unknown'; readonly code: string; readonly message: string }

/**
 * Where decisions come from. A judgement performs nothing and records nothing; the same request under the same policies is judged
 * the same.
 */
export interface DecisionSource {
  /** True when questions about these types are this source's to answer. */
  covers(subjectType: string, resourceType: string): boolean
  /** `approvals`: ids of the policies that people have satisfied for exactly this request. */
  judge(request: EvaluationRequest, approvals: readonly string[]): Promise<Judgement>
  /** Ids of the subjects of a type that are known by name, sorted. */
  subjects(type: string): readonly string[]
  resources(type: string): readonly string[]
  /** Names of the actions that can be asked about for these types, sorted. */
  actions(subjectType: string, resourceType: string): readonly string[]
  /** The context members that an approval is bound to: those that policies may speak of, but for the time. */
  relevantContext(action: string): readonly string[]
}

/** The source that covers a pair of types: the first that says so. */
export function sourceOf(
  sources: readonly DecisionSource[],
  request: { readonly subject: { readonly type: string }; readonly resource: { readonly type: string } },
): DecisionSource | undefined {
  return sources.find((source) => source.covers(request.subject.type, request.resource.type))
}
