import { canonicalJson, type EntityReference, type Json, type JsonObject, isObject } from '@tidegate/kernel'
import type { EvaluationRequest } from './port.ts'
import { type JwsParts, signJws, toUrl, verifyJws } from './jws.ts'
import { encodeBase64 } from '@tidegate/kernel'

/** What one evaluation was about, in so few bytes that it can travel: a digest, and which context members went into it. */
export interface Binding {
  readonly hash: string
  readonly members: readonly string[]
}

/** Members of the context that are this profile's own, and the time: no approval is bound to them. */
const NEVER_BOUND: ReadonlySet<string> = new Set([
  'access_request',
  'approval',
  'approvals',
  'evaluated_at',
  'evaluation_id',
  'reason',
  'time',
])

/** Which members of a context bind, of those that policies may speak of: the ones that are there. Sorted. */
export function bindingMembers(relevant: readonly string[], context: JsonObject): readonly string[] {
  return relevant.filter((name) => !NEVER_BOUND.has(name) && Object.hasOwn(context, name)).toSorted()
}

/**
 * The digest of what an approval is for (ARAP, section "Binding Token Integrity", `binding_hash`): base64url SHA-256 over the RFC
 * 8785 form of subject, resource, action and the listed context members. `subject.properties.act` has no part in it.
 */
export function bindingHash(parts: Pick<JwsParts, 'hasher'>, request: EvaluationRequest, members: readonly string[]): string {
  const { action, resource, context } = request
  const kept = members.filter((name) => Object.hasOwn(context, name)).map((name): [string, Json] => [name, context[name] ?? null])
  const bound = {
    action: { ...action },
    context: Object.fromEntries(kept),
    resource: { ...resource },
    subject: withoutActor(request.subject),
  }
  return toUrl(encodeBase64(parts.hasher.sha256(canonicalJson(bound))))
}

function withoutActor(subject: EntityReference): JsonObject {
  const { properties, ...named } = subject
  if (!isObject(properties)) return named
  const { act: _, ...others } = properties
  return { ...named, properties: others }
}

/** A denial that can be asked about, as the token that travels with it says it. */
export interface DenialClaims {
  readonly token: string
  readonly evaluationId: string
  readonly expiresAt: string
  readonly binding: Binding
}

/** Issues the token that binds a request for access to the denial it is about. */
export function issueBindingToken(
  parts: JwsParts & { readonly identifier: string },
  denial: Omit<DenialClaims, 'token'> & { readonly jti: string; readonly nowMs: number; readonly policyVersion: string },
): string {
  return signJws(parts, 'tidegate-binding+jwt', {
    iss: parts.identifier,
    aud: parts.identifier,
    iat: Math.floor(denial.nowMs / 1_000),
    exp: Math.ceil(Date.parse(denial.expiresAt) / 1_000),
    jti: denial.jti,
    denial_expires_at: denial.expiresAt,
    evaluation_id: denial.evaluationId,
    binding_hash: denial.binding.hash,
    binding_context_members: [...denial.binding.members],
    policy_version: denial.policyVersion,
  })
}

/** What a binding token says; undefined when we did not issue it, or not to ourselves. Whether it is in time is for the caller to see. */
export function readBindingToken(parts: JwsParts & { readonly identifier: string }, token: string): DenialClaims | undefined {
  const claims = verifyJws(parts, 'tidegate-binding+jwt', token)
  if (claims === undefined || claims.iss !== parts.identifier || claims.aud !== parts.identifier) return undefined
  const { jti, denial_expires_at: expiresAt, evaluation_id: evaluationId, binding_hash: hash } = claims
  const members = textsOf(claims.binding_context_members)
  if (typeof jti !== 'string' || typeof expiresAt !== 'string' || typeof evaluationId !== 'string') return undefined
  if (typeof hash !== 'string' || members === undefined) return undefined
  return { token: jti, expiresAt, evaluationId, binding: { hash, members } }
}

/** A list of texts, or undefined. */
export function textsOf(value: Json | undefined): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined
  const texts = (value as readonly Json[]).filter((item) => typeof item === 'string')
  return texts.length === value.length ? texts : undefined
}

/** A time as RFC 3339 has it, in UTC with milliseconds. */
export function instantOf(timeMs: number): string {
  return new Date(timeMs).toISOString()
}
