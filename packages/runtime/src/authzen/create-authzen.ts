import type { JsonObject } from '@tidegate/kernel'
import type { Person } from '../api.ts'
import { type AccessDesk, createAccessDesk } from './access-desk.ts'
import { deniedFor, evaluate } from './evaluate.ts'
import { jwkSet, signJws } from './jws.ts'
import type { AuthZenParts } from './parts.ts'
import type { EvaluationAnswer, EvaluationRequest } from './port.ts'
import { type Page, search, type SearchAnswer, type SearchQuery } from './search.ts'

/** One evaluation of several: a question, or what is wrong with it. */
export type EvaluationItem =
  | { readonly kind: 'question'; readonly request: EvaluationRequest }
  | { readonly kind: 'invalid'; readonly message: string }

/** The AuthZEN Authorization API 1.0 and its access requests, as the runtime answers them. Knows nothing of HTTP. */
export interface AuthZen {
  /** Who signs: `iss` and `aud` of everything signed. */
  readonly identifier: string
  evaluate(request: EvaluationRequest, caller: Person): Promise<EvaluationAnswer>
  /**
   * Decides several in order. `deny_on_first_deny` and `permit_on_first_permit` answer no more than what came before the one that
   * decided it, and that one. An item that is wrong is denied by itself.
   */
  evaluateAll(
    items: readonly EvaluationItem[],
    semantic: 'execute_all' | 'deny_on_first_deny' | 'permit_on_first_permit',
    caller: Person,
  ): Promise<readonly EvaluationAnswer[]>
  search(query: SearchQuery, page: Page): Promise<SearchAnswer>
  readonly requests: AccessDesk
  /** The JWK Set that everything signed here verifies with. */
  keys(): JsonObject
  /** Claims about this decision point, signed, with its name as issuer. */
  signMetadata(claims: JsonObject): string
}

/** Creates the AuthZEN face of a runtime. */
export function createAuthZen(parts: AuthZenParts): AuthZen {
  const { identifier } = parts
  return {
    identifier,
    evaluate: (request, caller) => evaluate(parts, request, caller),
    async evaluateAll(items, semantic, caller) {
      const answers: EvaluationAnswer[] = []
      for (const item of items) {
        const answer = item.kind === 'question' ? await evaluate(parts, item.request, caller) : invalid(parts, item.message)
        answers.push(answer)
        if (answer.decision ? semantic === 'permit_on_first_permit' : semantic === 'deny_on_first_deny') break
      }
      return answers
    },
    search: (query, page) => search(parts, query, page),
    requests: createAccessDesk(parts),
    keys: () => jwkSet(parts),
    signMetadata: (claims) => signJws(parts, 'JWT', { ...claims, iss: identifier, iat: Math.floor(parts.clock.nowMs() / 1_000) }),
  }
}

function invalid(parts: AuthZenParts, message: string): EvaluationAnswer {
  const { context } = deniedFor(parts, 'invalid_request', message)
  return { decision: false, context: { ...context, error: { status: 400, message } } }
}
