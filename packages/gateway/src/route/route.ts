import type { Person, Tidegate } from '@tidegate/runtime'
import type { Reply } from '../reply.ts'

/** What a schema of the protocol offers; every zod schema does. */
export interface RequestSchema<T> {
  safeParse(value: unknown):
    | { readonly success: true; readonly data: T }
    | {
        readonly success: false
        readonly error: { readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[] }
      }
}

/** One request, with everything in it checked. */
export interface Call<B, Q> {
  readonly tidegate: Tidegate
  readonly person: Person
  readonly version: string
  /** The checked segment that stands for `:id` in the path; empty when the path has none. */
  readonly id: string
  readonly body: B
  readonly query: Q
  /** The header `Idempotency-Key`, as it was sent. */
  readonly idempotencyKey: string | undefined
  /** The host that asks; empty where a person does. */
  readonly host: string
  /** Aborted when whoever asked has gone. */
  readonly gone: AbortSignal
}

/** One thing that can be asked of the gateway. */
export interface RouteOf<B, Q> {
  readonly method: 'GET' | 'POST'
  /** Segments after the prefix; `:id` stands for one id. */
  readonly path: string
  /** The first segments; `v1` unless told. */
  readonly prefix?: string
  /** True for what is answered without a token. */
  readonly isPublic?: true
  /** True for what hosts ask: their tokens open these routes, and no others. */
  readonly forHosts?: true
  /** The largest body; that of the gateway unless told. */
  readonly maxBodyBytes?: number
  /** Left out: no body is accepted. */
  readonly body?: RequestSchema<B>
  /** Left out: no query is accepted. */
  readonly query?: RequestSchema<Q>
  /** How long the runtime may take; 30 s unless told. */
  readonly timeoutMs?: number
  readonly run: (call: Call<B, Q>) => Promise<Reply>
}

export type Route = RouteOf<unknown, unknown>

/** Types one route: what its schemas produce is what its function gets. */
export function route<B = undefined, Q = undefined>(of: RouteOf<B, Q>): Route {
  // Sound: the gateway calls `run` only with what these very schemas returned.
  return of as unknown as Route
}

/** Finds the route of a method and a path; tells an unknown path from a method that it does not have. */
export function findRoute(
  routes: readonly Route[],
  method: string,
  path: string,
): { readonly route: Route; readonly id: string } | { readonly allowed: readonly string[] } {
  const segments = path.split('/').slice(1)
  const matching = routes.flatMap((candidate) => {
    const id = matchPath(candidate, segments)
    return id === undefined ? [] : [{ route: candidate, id }]
  })
  const exact = matching.find((match) => match.route.method === method)
  return exact ?? { allowed: [...new Set(matching.map((match) => match.route.method))] }
}

/** The segment that stands for `:id`, empty when there is none; undefined when the path is another one. */
function matchPath({ prefix = 'v1', path }: Route, segments: readonly string[]): string | undefined {
  const wanted = [...prefix.split('/'), ...path.split('/').slice(1)]
  if (wanted.length !== segments.length) return undefined
  if (!wanted.every((segment, i) => segment === ':id' || segment === segments[i])) return undefined
  return segments[wanted.indexOf(':id')] ?? ''
}
