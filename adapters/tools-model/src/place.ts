import { isIP } from 'node:net'
import { type AddressKind, kindOfAddress } from '@tidegate/kernel'
import { ToolsModelError } from './error.ts'

/** The one place that the model of a host is at. */
export interface Place {
  /** `https://api.example.com` or `http://127.0.0.1:8000`. */
  readonly origin: string
  readonly secure: boolean
  /** A name, or an address without brackets. */
  readonly host: string
  readonly port: number
  /** What comes before each path: empty, or `/v1` without a slash at its end. */
  readonly basePath: string
  /** Which addresses may be dialled. */
  readonly reach: readonly AddressKind[]
}

const MAX_LENGTH = 2_048

/**
 * Reads the base URL of a model, as an operator configured it.
 *
 * `https` to public addresses; `http` or `https` to this machine when the URL itself says so (`127.0.0.1`, `localhost`); both to private
 * networks with `isPrivate`. No user name or password, no query, no fragment; the URL is not repeated in errors, for it may hold a password.
 *
 * @throws ToolsModelError `proxy_base_url`
 */
export function parsePlace(host: string, baseUrl: string, { isPrivate }: { readonly isPrivate: boolean }): Place {
  const refuse = (what: string) => new ToolsModelError('proxy_base_url', `The baseUrl of the model of the host ${host} ${what}.`)
  if (baseUrl.length > MAX_LENGTH || !URL.canParse(baseUrl)) throw refuse('is not a URL')
  const url = new URL(baseUrl)
  if (url.username !== '' || url.password !== '') throw refuse('holds a user name or a password; name the key under apiKey')
  if (baseUrl.includes('?') || baseUrl.includes('#')) throw refuse('holds a query or a fragment')
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse('is neither https nor http')
  const name = url.hostname.replace(/^\[|\]$/g, '')
  const literal = isIP(name) === 0 ? undefined : kindOfAddress(name)
  const isLocal = name === 'localhost' || literal === 'loopback'
  const reach: readonly AddressKind[] = isLocal ? ['loopback'] : isPrivate ? ['public', 'private'] : ['public']
  if (literal !== undefined && !reach.includes(literal))
    throw refuse(
      literal === 'private' ? 'is in a private network; say private: true if that is meant' : 'is an address that is not called',
    )
  const secure = url.protocol === 'https:'
  if (!secure && !isLocal && !isPrivate)
    throw refuse('uses http for another machine; use https, or say private: true for a private network')
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
  // Without TLS, only a private address is private: what is said in the clear goes nowhere else.
  const dialled = secure || isLocal ? reach : (['private'] as const)
  if (literal !== undefined && !(dialled as readonly AddressKind[]).includes(literal))
    throw refuse('uses http for another machine; use https')
  return { origin: url.origin, secure, host: name, port, basePath: url.pathname.replace(/\/+$/, ''), reach: dialled }
}
