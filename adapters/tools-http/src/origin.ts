import { isIP } from 'node:net'
import { kindOfAddress } from '@tidegate/kernel'
import { ToolsHttpError } from './error.ts'

const MAX_LENGTH = 2048

/** The one place that a tool talks to. */
export interface HttpOrigin {
  /** `https://desk.example` or `http://127.0.0.1:8080`: scheme, host and port, as in RFC 6454. */
  readonly origin: string
  readonly secure: boolean
  /** A name, or an address without brackets. */
  readonly host: string
  readonly port: number
  /** What comes before each path: empty, or `/v2` without a slash at its end. */
  readonly basePath: string
  readonly allowLoopback: boolean
}

/** What is said about the place besides its address. */
export interface OriginOptions {
  readonly allow?: readonly string[] | undefined
  readonly allowLoopback?: boolean | undefined
}

/**
 * Reads the base URL of a tool, as an operator configured it.
 *
 * `https`, or `http` where nothing leaves the machine (a loopback host with `allowLoopback`). No user name or password, no query, no
 * fragment. With `allow`, its origin must be one of the list. An address that is refused is not repeated in the error, for it may
 * hold a password.
 *
 * @throws ToolsHttpError `http_base_url`
 */
export function parseOrigin(baseUrl: string, { allow, allowLoopback = false }: OriginOptions): HttpOrigin {
  if (typeof baseUrl !== 'string' || baseUrl.length > MAX_LENGTH || !URL.canParse(baseUrl)) throw refuse('is not a URL')
  const url = new URL(baseUrl)
  if (url.username !== '' || url.password !== '') throw refuse('holds a user name or a password; name a secret under bearer')
  if (url.search !== '' || baseUrl.includes('?')) throw refuse('holds a query')
  if (url.hash !== '' || baseUrl.includes('#')) throw refuse('holds a fragment')
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse('is neither https nor http')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const loopback = host === 'localhost' || (isIP(host) !== 0 && kindOfAddress(host) === 'loopback')
  if (loopback && !allowLoopback) throw refuse('points at this machine; say allowLoopback: true if that is meant')
  if (url.protocol === 'http:' && !loopback) throw refuse('uses http for another machine; use https')
  if (isIP(host) !== 0 && !loopback && kindOfAddress(host) !== 'public') throw refuse('is an address that is not public')
  if (allow !== undefined && !allow.includes(url.origin)) throw refuse('is not on the allow list; list its scheme, host and port')
  const secure = url.protocol === 'https:'
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
  return {
    origin: url.origin,
    secure,
    host,
    port,
    basePath: url.pathname.replace(/\/+$/, ''),
    allowLoopback: allowLoopback && loopback,
  }
}

function refuse(what: string): ToolsHttpError {
  return new ToolsHttpError('http_base_url', `The baseUrl of the tool ${what}.`)
}
