import {
  accessCancelSchema,
  accessRequestSchema,
  actionSearchSchema,
  evaluationRequestSchema,
  evaluationsRequestSchema,
  resourceSearchSchema,
  subjectSearchSchema,
  type WireAccessRequest,
  type WireEvaluationRequest,
  type WireEvaluationsRequest,
} from '@tidegate/protocol'
import type { JsonObject } from '@tidegate/kernel'
import type { AccessRefusal, AccessTask, AuthZen, EvaluationItem, EvaluationRequest, SearchQuery } from '@tidegate/runtime'
import { done, type Reply, refuse } from '../reply.ts'
import { type Route, route } from './route.ts'

/** Where the Authorization API stands, and where its own errors are plain text (AuthZEN 1.0, section "Error Responses"). */
export const AUTHZEN_PREFIX = 'access/v1'
const WELL_KNOWN = '.well-known/authzen-configuration'
const ACCESS_REQUEST = 'urn:openid:authzen:capability:access-request'
/** How often somebody who waits for people may look, in seconds. */
const RETRY_AFTER_S = 5

/** The AuthZEN Authorization API 1.0, and the requests of its Access Request and Approval Profile, over one decision point. */
export function authzenRoutes(authzen: AuthZen, publicUrl: () => string): readonly Route[] {
  return [
    ...decisionRoutes(authzen),
    ...searchRoutes(authzen),
    ...requestRoutes(authzen, publicUrl),
    ...discoveryRoutes(authzen, publicUrl),
  ]
}

function decisionRoutes(authzen: AuthZen): readonly Route[] {
  return [
    route({
      method: 'POST',
      prefix: AUTHZEN_PREFIX,
      path: '/evaluation',
      body: evaluationRequestSchema,
      run: async ({ body, person }) => done(await authzen.evaluate(questionOf(body), person)),
    }),
    route({
      method: 'POST',
      prefix: AUTHZEN_PREFIX,
      path: '/evaluations',
      body: evaluationsRequestSchema,
      run: async ({ body, person }) => {
        if (body.evaluations.length > 0) {
          const items = body.evaluations.map((own) => itemOf(body, own))
          return done({ evaluations: await authzen.evaluateAll(items, body.options.evaluations_semantic, person) })
        }
        // Without evaluations it is one, as if it had been sent to the other endpoint.
        const single = evaluationRequestSchema.safeParse(body)
        if (!single.success)
          return refuse('invalid_request', 'Without evaluations there must be a subject, an action and a resource.')
        return done(await authzen.evaluate(questionOf(single.data), person))
      },
    }),
  ]
}

/** One evaluation with the defaults of its request: each is taken as a whole, or not at all. */
function itemOf({ subject, action, resource, context }: WireEvaluationsRequest, own: JsonObject): EvaluationItem {
  const parsed = evaluationRequestSchema.safeParse({ subject, action, resource, context, ...own })
  if (parsed.success) return { kind: 'question', request: questionOf(parsed.data) }
  const [issue] = parsed.error.issues
  return {
    kind: 'invalid',
    message: `not valid at /${(issue?.path ?? []).map(String).join('/')}: ${issue?.message ?? ''}`.slice(0, 300),
  }
}

function questionOf({ context = {}, ...named }: WireEvaluationRequest): EvaluationRequest {
  return { ...plain(named), context }
}

/** Without the members that are not there: what is hashed and compared later must not depend on how they are absent. */
function plain<T extends object>(named: T): T & NoUndefined<T> {
  return JSON.parse(JSON.stringify(named)) as T & NoUndefined<T> // sound: JSON in, JSON out
}
type NoUndefined<T> = {
  readonly [K in keyof T]: T[K] extends object ? { readonly [L in keyof T[K]]: Exclude<T[K][L], undefined> } : T[K]
}

function searchRoutes(authzen: AuthZen): readonly Route[] {
  const answer = async (query: SearchQuery, page: Parameters<AuthZen['search']>[1] | undefined): Promise<Reply> => {
    const found = await authzen.search(query, page ?? {})
    return found.kind === 'refused'
      ? refuse('invalid_request', found.message)
      : done({ page: found.page, results: found.results })
  }
  return [
    route({
      method: 'POST',
      prefix: AUTHZEN_PREFIX,
      path: '/search/subject',
      body: subjectSearchSchema,
      run: async ({ body: { page, context = {}, ...named } }) =>
        answer({ for: 'subject', ...plain(named), context }, plainPage(page)),
    }),
    route({
      method: 'POST',
      prefix: AUTHZEN_PREFIX,
      path: '/search/resource',
      body: resourceSearchSchema,
      run: async ({ body: { page, context = {}, ...named } }) =>
        answer({ for: 'resource', ...plain(named), context }, plainPage(page)),
    }),
    route({
      method: 'POST',
      prefix: AUTHZEN_PREFIX,
      path: '/search/action',
      body: actionSearchSchema,
      run: async ({ body: { page, context = {}, ...named } }) =>
        answer({ for: 'action', ...plain(named), context }, plainPage(page)),
    }),
  ]
}

function plainPage(page: { readonly token?: string | undefined; readonly limit?: number | undefined } | undefined) {
  if (page === undefined) return undefined
  const { token, limit } = page
  return { ...(token === undefined ? {} : { token }), ...(limit === undefined ? {} : { limit }) }
}

function requestRoutes(authzen: AuthZen, publicUrl: () => string): readonly Route[] {
  const { requests } = authzen
  return [
    route({
      method: 'POST',
      prefix: AUTHZEN_PREFIX,
      path: '/requests',
      body: accessRequestSchema,
      run: async ({ body, person, idempotencyKey }) => {
        const { callback, items } = body
        if (callback !== undefined)
          return refuse('callback_unsupported', 'Callbacks are not made here. Look at task.status_endpoint.')
        if (items !== undefined) return refuse('items_unsupported', 'Ask for one thing at a time, without items.')
        if (idempotencyKey !== undefined && !/^[\x21-\x7e][\x20-\x7e]{0,254}$/.test(idempotencyKey))
          return refuse('invalid_request', 'The Idempotency-Key must have 1 to 255 visible ASCII characters.')
        const submission = submissionOf(body)
        if ('kind' in submission) return submission
        const answer = await requests.submit({ ...submission, idempotencyKey }, person)
        return replyTo(answer, publicUrl(), 'accepted')
      },
    }),
    route({
      method: 'GET',
      prefix: AUTHZEN_PREFIX,
      path: '/requests/:id',
      run: async ({ id, person }) => replyTo(await requests.task(id, person), publicUrl(), 'ok'),
    }),
    route({
      method: 'POST',
      prefix: AUTHZEN_PREFIX,
      path: '/requests/:id/cancel',
      body: accessCancelSchema,
      run: async ({ id, person }) => replyTo(await requests.cancel(id, person), publicUrl(), 'ok'),
    }),
  ]
}

function submissionOf(body: WireAccessRequest) {
  const { subject, action, resource, context = {}, denial, requested_access: wanted } = body
  if (denial === undefined) return refuse('invalid_denial_binding', 'denial is missing: say which denial this is about.')
  if (action === undefined || resource === undefined)
    return refuse('invalid_request', 'action and resource must be those of the denial.')
  return {
    ...plain({ subject, action, resource }),
    context,
    bindingToken: denial.binding_token,
    evaluationId: denial.evaluation_id,
    expiresAt: denial.expires_at,
    requestedUntilMs: wanted?.requested_until === undefined ? 0 : Date.parse(wanted.requested_until),
    emergency: wanted?.emergency === true,
    body: plain(body) as unknown as JsonObject, // sound: parsed JSON without what is absent
  }
}

/** A task on the wire; every address in it is absolute. */
function replyTo(answer: AccessTask | AccessRefusal, base: string, as: 'ok' | 'accepted'): Reply {
  if (answer.kind === 'refused') return refuse(answer.code, answer.message)
  const endpoint = `${base}/${AUTHZEN_PREFIX}/requests/${answer.id}`
  const pending = answer.status === 'pending'
  const task = {
    id: answer.id,
    status: answer.status,
    status_endpoint: endpoint,
    expires_at: answer.expiresAt,
    ...(pending ? { links: { cancel: `${endpoint}/cancel` } } : {}),
  }
  const result = answer.approval === undefined ? {} : { result: { mode: 'reevaluate', approval: answer.approval } }
  const headers = {
    ...(as === 'accepted' ? { location: endpoint } : {}),
    ...(pending ? { 'retry-after': String(RETRY_AFTER_S) } : {}),
  }
  return { ...done({ task, ...result }, as), headers }
}

/** What anybody may read, without a token: where things are, and the keys that verify what is signed here. */
function discoveryRoutes(authzen: AuthZen, publicUrl: () => string): readonly Route[] {
  return [
    route({
      method: 'GET',
      prefix: WELL_KNOWN,
      path: '',
      isPublic: true,
      run: async () => {
        const metadata = metadataOf(publicUrl())
        return done({ ...metadata, signed_metadata: authzen.signMetadata(metadata) })
      },
    }),
    route({ method: 'GET', prefix: AUTHZEN_PREFIX, path: '/jwks', isPublic: true, run: async () => done(authzen.keys()) }),
  ]
}

function metadataOf(base: string): JsonObject {
  const at = (path: string): string => `${base}/${AUTHZEN_PREFIX}${path}`
  return {
    policy_decision_point: base,
    access_evaluation_endpoint: at('/evaluation'),
    access_evaluations_endpoint: at('/evaluations'),
    search_subject_endpoint: at('/search/subject'),
    search_resource_endpoint: at('/search/resource'),
    search_action_endpoint: at('/search/action'),
    access_request_endpoint: at('/requests'),
    jwks_uri: at('/jwks'),
    capabilities: [ACCESS_REQUEST],
  }
}
