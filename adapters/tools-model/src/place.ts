import { BlockList, isIP } from 'node:net'
import { ToolsModelError } from './error.ts'

/** Where an address leads. `refused` is never called: link-local (most metadata services), multicast, reserved, documentation. */
export type AddressKind = 'public' | 'private' | 'loopback' | 'refused'

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

const LOOPBACK = blockList(['127.0.0.0/8', '::1/128'])
const PRIVATE = blockList(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'])
/** Besides reserved networks: the addresses under which clouds tell their machines secrets. */
const REFUSED = blockList([
  '0.0.0.0/8',
  '100.64.0.0/10',
  '168.63.129.16/32',
  '169.254.0.0/16',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  'fd00:ec2::/32',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
])
const GLOBAL_IPV6 = blockList(['2000::/3'])
const MAX_LENGTH = 2_048

/** Says where an address leads. Fails closed: what is no plain address, and IPv6 that is neither global nor private, is refused. */
export function kindOfAddress(address: string): AddressKind {
  const family = address.includes('%') ? 0 : isIP(address)
  if (family === 0) return 'refused'
  const type = family === 4 ? 'ipv4' : 'ipv6'
  if (LOOPBACK.check(address, type)) return 'loopback'
  if (REFUSED.check(address, type)) return 'refused'
  if (PRIVATE.check(address, type)) return 'private'
  return family === 4 || GLOBAL_IPV6.check(address, type) ? 'public' : 'refused'
}

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

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix = ''] = network.split('/')
    list.addSubnet(address, Number(prefix), isIP(address) === 4 ? 'ipv4' : 'ipv6')
  }
  return list
}
