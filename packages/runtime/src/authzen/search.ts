import { canonicalJson, decodeUtf8, encodeBase64, isObject, type JsonObject, parseJson } from '@tidegate/kernel'
import { decodePart, encodePart, toUrl } from './jws.ts'
import type { AuthZenParts } from './parts.ts'
import { type EvaluationRequest, sourceOf } from './port.ts'

/** Who or what may? The part that is asked for is missing: for a subject or a resource its id, for an action everything. */
export type SearchQuery =
  | {
      readonly for: 'subject'
      readonly subject: Searched
      readonly action: Action
      readonly resource: Entity
      readonly context: JsonObject
    }
  | {
      readonly for: 'resource'
      readonly subject: Entity
      readonly action: Action
      readonly resource: Searched
      readonly context: JsonObject
    }
  | { readonly for: 'action'; readonly subject: Entity; readonly resource: Entity; readonly context: JsonObject }

type Entity = EvaluationRequest['subject']
type Action = EvaluationRequest['action']
type Searched = Omit<Entity, 'id'>

/** What of the results is wanted. `token` continues an earlier search. */
export interface Page {
  readonly token?: string
  readonly limit?: number
}

export type SearchAnswer =
  | {
      readonly kind: 'found'
      readonly page: { readonly next_token: string; readonly count: number }
      readonly results: readonly JsonObject[]
    }
  | { readonly kind: 'refused'; readonly message: string }

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 500
/** How many candidates one answer looks at: a page may be short, or empty, and still have a next one. */
const MAX_LOOKS = 1_000

/**
 * Finds whom or what a question would be allowed for, by asking it of every candidate that is known by name, in the order of names.
 *
 * The answer is as of now, and what is not stored is not found. A page is bounded by its limit and by how many candidates are looked
 * at; as long as candidates are left there is a token. Approvals have no part in it. A global stop finds nothing (I7).
 */
export async function search(parts: AuthZenParts, query: SearchQuery, page: Page): Promise<SearchAnswer> {
  const start = placeOf(parts, query, page)
  if (start === undefined)
    return { kind: 'refused', message: 'page.token does not belong to this search: send the same search again, or start anew.' }
  const { limit, from } = start
  const candidates = candidatesOf(parts, query)
  const results: JsonObject[] = []
  let at = from
  for (const end = at + MAX_LOOKS; at < Math.min(end, candidates.length) && results.length < limit; at += 1) {
    const name = candidates[at] ?? ''
    if (await isAllowed(parts, query, name)) results.push(resultOf(query, name))
  }
  const next = at < candidates.length ? tokenOf(parts, query, { limit, from: at }) : ''
  return { kind: 'found', page: { next_token: next, count: results.length }, results }
}

function candidatesOf({ sources, control }: AuthZenParts, query: SearchQuery): readonly string[] {
  const source = sourceOf(sources, query)
  if (source === undefined || control().stops.some(({ scope }) => scope === 'global')) return []
  if (query.for === 'subject') return source.subjects(query.subject.type)
  if (query.for === 'resource') return source.resources(query.resource.type)
  return source.actions(query.subject.type, query.resource.type)
}

async function isAllowed({ sources }: AuthZenParts, query: SearchQuery, name: string): Promise<boolean> {
  const { context } = query
  const request: EvaluationRequest =
    query.for === 'subject'
      ? { ...query, subject: { ...query.subject, id: name }, context }
      : query.for === 'resource'
        ? { ...query, resource: { ...query.resource, id: name }, context }
        : { ...query, action: { name }, context }
  const judged = await sourceOf(sources, request)?.judge(request, [])
  return judged?.kind === 'decided' && judged.decision.outcome === 'allow'
}

function resultOf(query: SearchQuery, name: string): JsonObject {
  if (query.for === 'action') return { name }
  return { type: query.for === 'subject' ? query.subject.type : query.resource.type, id: name }
}

interface Place {
  readonly limit: number
  /** How many candidates were looked at before. A number, and no name: names of what is not allowed are nobody's business. */
  readonly from: number
}

/**
 * Where a page begins; undefined when its token is of another search. A token is opaque but no secret, and is not signed: whoever
 * makes one up learns nothing that the search would not have told them anyway.
 */
function placeOf(parts: AuthZenParts, query: SearchQuery, { token, limit }: Page): Place | undefined {
  if (token === undefined || token === '') return { limit: Math.min(limit ?? DEFAULT_LIMIT, MAX_LIMIT), from: 0 }
  const said = readToken(token)
  if (said === undefined || said.query !== queryDigest(parts, query)) return undefined
  if (limit !== undefined && Math.min(limit, MAX_LIMIT) !== said.limit) return undefined
  return said
}

function tokenOf(parts: AuthZenParts, query: SearchQuery, { limit, from }: Place): string {
  return encodePart(canonicalJson([queryDigest(parts, query), limit, from]))
}

function readToken(token: string): (Place & { readonly query: string }) | undefined {
  const bytes = decodePart(token)
  if (bytes === undefined) return undefined
  try {
    const value = parseJson(decodeUtf8(bytes), { maxBytes: 4_096, maxDepth: 2 })
    const [query, limit, from] = Array.isArray(value) ? (value as readonly unknown[]) : []
    if (typeof query !== 'string' || !isCount(limit) || !isCount(from) || limit > MAX_LIMIT) return undefined
    return { query, limit, from }
  } catch {
    return undefined // not a token of ours
  }
}

/** The whole search, but for its page and for ids that are ignored. */
function queryDigest({ hasher }: AuthZenParts, query: SearchQuery): string {
  const plain = JSON.parse(JSON.stringify(query)) as JsonObject // sound: JSON in, JSON out; drops what is undefined
  return toUrl(encodeBase64(hasher.sha256(canonicalJson(isObject(plain) ? plain : {}))))
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}
