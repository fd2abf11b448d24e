import { lookup } from 'node:dns/promises'
import { isIP, type Socket, connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { kindOfAddress } from '@tidegate/kernel'
import type { HttpOrigin } from './origin.ts'

/** All addresses of a name. The answer is outside data: a hostile name server chose it. */
export type Resolver = (host: string) => Promise<readonly string[]>

/** Opens a connection to one address; rejects when there is none. `servername` is what a certificate must be for. */
export type Dialler = (target: {
  readonly address: string
  readonly port: number
  readonly servername: string | null
  readonly signal: AbortSignal
}) => Promise<Socket>

/** Why there is no connection. Nothing of a request has left the machine in any of these cases. */
export class NoConnection extends Error {
  readonly kind: 'name' | 'address' | 'connect'

  constructor(kind: 'name' | 'address' | 'connect', message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'NoConnection'
    this.kind = kind
  }
}

const MAX_ADDRESSES = 32
const MAX_ATTEMPTS = 3

/**
 * Connects to the origin of a tool: looks the name up once, checks every address that came back, and dials the checked addresses
 * themselves, never the name. A name server that answers differently a moment later (DNS rebinding) is not asked.
 *
 * One address that may not be called refuses them all: a name that mixes public and private addresses is not an honest one.
 *
 * @throws NoConnection
 */
export async function connectTo(
  place: HttpOrigin,
  { resolve, dial, signal }: { readonly resolve: Resolver; readonly dial: Dialler; readonly signal: AbortSignal },
): Promise<Socket> {
  const addresses = await addressesOf(place, resolve)
  const servername = place.secure ? (isIP(place.host) === 0 ? place.host : '') : null
  let last: unknown
  for (const address of addresses.slice(0, MAX_ATTEMPTS)) {
    if (signal.aborted) break
    try {
      return await dial({ address, port: place.port, servername, signal })
    } catch (cause) {
      last = cause
    }
  }
  throw new NoConnection('connect', `No connection to ${place.origin}${codeOf(last)}.`, { cause: last })
}

async function addressesOf(place: HttpOrigin, resolve: Resolver): Promise<readonly string[]> {
  if (isIP(place.host) !== 0) return allowed(place, [place.host])
  let addresses: readonly string[]
  try {
    addresses = await resolve(place.host)
  } catch (cause) {
    throw new NoConnection('name', `The name ${place.host} could not be looked up${codeOf(cause)}.`, { cause })
  }
  if (addresses.length === 0 || addresses.length > MAX_ADDRESSES) {
    throw new NoConnection('name', `The name ${place.host} has ${addresses.length} addresses.`)
  }
  return allowed(place, addresses)
}

function allowed(place: HttpOrigin, addresses: readonly string[]): readonly string[] {
  const wanted = place.allowLoopback ? 'loopback' : 'public'
  if (addresses.every((address) => kindOfAddress(address) === wanted)) return addresses
  throw new NoConnection('address', `${place.origin} leads to an address that no tool may call.`)
}

/** Looks a name up as the machine does. */
export const systemResolver: Resolver = async (host) =>
  (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address)

/** Dials over TCP, with TLS 1.2 or later where a server name is given; certificates are always verified. */
export const socketDialler: Dialler = ({ address, port, servername, signal }) =>
  new Promise((resolve, reject) => {
    const socket =
      servername === null
        ? connectTcp({ host: address, port, noDelay: true })
        : connectTls({
            host: address,
            port,
            servername,
            ALPNProtocols: ['http/1.1'],
            minVersion: 'TLSv1.2',
            rejectUnauthorized: true,
          })
    // Whoever takes the socket over listens for itself; until then an error must not end the process.
    socket.on('error', () => undefined)
    const end = () => socket.destroy(new Error('given up'))
    signal.addEventListener('abort', end, { once: true })
    const fail = (error: Error) => {
      signal.removeEventListener('abort', end)
      reject(error)
    }
    socket.once('error', fail)
    socket.once(servername === null ? 'connect' : 'secureConnect', () => {
      signal.removeEventListener('abort', end)
      socket.off('error', fail)
      resolve(socket)
    })
    if (signal.aborted) end()
  })

/** The platform's code of an error, such as ECONNREFUSED: codes are safe to show, messages are not. */
function codeOf(error: unknown): string {
  const code: unknown = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(code) ? ` (${code})` : ''
}
