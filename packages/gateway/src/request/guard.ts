import type { IncomingMessage } from 'node:http'
import type { Person } from '@tidegate/runtime'
import type { Authenticate } from '../authenticate.ts'
import { type Refusal, refuse } from '../reply.ts'

/**
 * Refuses a request that was not meant for this gateway, or that a web page made.
 *
 * The Host header must name this gateway (a DNS name that was rebound to a loopback address does not), exactly once. A browser
 * says where a request comes from; no page of another origin has any business here, and none is told otherwise (no CORS).
 */
export function guardOrigin(request: IncomingMessage, hosts: ReadonlySet<string>): Refusal | undefined {
  const named = valuesOf(request, 'host')
  const [host] = named
  if (named.length !== 1 || host === undefined || !hosts.has(host.toLowerCase())) {
    return refuse('wrong_host', 'The Host header does not name this gateway. Use the address that `tidegate up` printed.')
  }
  const [origin] = valuesOf(request, 'origin')
  const site = valuesOf(request, 'sec-fetch-site')[0] ?? 'none'
  if ((origin !== undefined && origin !== `http://${host}`) || (site !== 'none' && site !== 'same-origin')) {
    return refuse('forbidden_origin', 'Requests from web pages of another origin are not answered.')
  }
  return undefined
}

/** Who makes the request; a refusal when nobody known does. */
export function guardPerson(request: IncomingMessage, authenticate: Authenticate): { readonly person: Person } | Refusal {
  const found = guardBearer(request, authenticate)
  return 'kind' in found ? found : { person: found.holder }
}

/** Who holds the token of a request. Says the same whatever was wrong with it. */
export function guardBearer<T>(
  request: IncomingMessage,
  authenticate: (token: string) => T | undefined,
): { readonly holder: T } | Refusal {
  const values = valuesOf(request, 'authorization')
  const token = values.length === 1 ? /^Bearer ([\x21-\x7e]{1,512})$/i.exec(values[0] ?? '')?.[1] : undefined
  const holder = token === undefined ? undefined : authenticate(token)
  return holder === undefined
    ? refuse('unauthorized', 'Send `Authorization: Bearer <token>` with a token of this server.')
    : { holder }
}

/**
 * All values of a header (its name in small letters) as they were sent: node keeps only the first of some that come twice. Read from the
 * raw list, since a request has a dozen headers and three of them are asked for.
 */
export function valuesOf({ rawHeaders }: IncomingMessage, name: string): readonly string[] {
  const values: string[] = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const key = rawHeaders[at] ?? ''
    if (key.length === name.length && key.toLowerCase() === name) values.push(rawHeaders[at + 1] ?? '')
  }
  return values
}
