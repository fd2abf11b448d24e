import { isIP } from 'node:net'
import type { EgressRequest } from '@tidegate/kernel'

const NAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}))*\.?$/
/** Looks like a number, and would be read as an address by some: 2130706433, 0x7f.1, 127.1. */
const NUMERIC = /^(?:0x[0-9a-f]*|\d+)(?:\.(?:0x[0-9a-f]*|\d+))*\.?$/
const AUTHORITY = /^(?:\[([0-9a-f:.]{2,45})\]|([^[\]:@/?#\s\\%]{1,254})):(\d{1,5})$/

/** Parses `host:port` as it stands in a CONNECT, or answers null. Who controls it: the command. */
export function parseAuthority(text: string): EgressRequest | null {
  const match = AUTHORITY.exec(text.toLowerCase())
  if (match === null) return null
  const [, bracketed, plain, digits] = match
  const port = Number(digits)
  if (port < 1 || port > 65_535) return null
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? { host: bracketed, port } : null
  if (plain === undefined) return null
  if (isIP(plain) === 4) return { host: plain, port }
  if (NUMERIC.test(plain) || !NAME.test(plain)) return null
  return { host: plain.endsWith('.') ? plain.slice(0, -1) : plain, port }
}

/** What a request in absolute form asks for. */
export interface AbsoluteTarget extends EgressRequest {
  /** As it goes into the Host header. */
  readonly authority: string
  readonly path: string
}

const ABSOLUTE = /^http:\/\/([^/?#]{1,320})([/?].*)?$/i
const DEFAULT_HTTP_PORT = 80

/** Parses `http://host[:port]/path`, or answers null. Who controls it: the command. */
export function parseAbsolute(text: string): AbsoluteTarget | null {
  const match = ABSOLUTE.exec(text)
  if (match?.[1] === undefined) return null
  const authority = match[1].toLowerCase()
  const target = parseAuthority(/:\d{1,5}$/.test(authority) ? authority : `${authority}:${DEFAULT_HTTP_PORT}`)
  const path = match[2] ?? '/'
  return target === null ? null : { ...target, authority, path: path.startsWith('/') ? path : `/${path}` }
}
