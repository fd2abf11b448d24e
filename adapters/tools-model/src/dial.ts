import { lookup } from 'node:dns/promises'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { kindOfAddress } from '@tidegate/kernel'
import type { Place } from './place.ts'

/** All addresses of a name. The answer is outside data: whoever serves the name chose it. */
export type Resolver = (name: string) => Promise<readonly string[]>

/** There is no connection; nothing has left the machine. */
export class NoConnection extends Error {
  readonly why: 'name' | 'address' | 'connect'

  constructor(why: 'name' | 'address' | 'connect', message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'NoConnection'
    this.why = why
  }
}

const MAX_ADDRESSES = 32
const MAX_ATTEMPTS = 3

/** Looks a name up as the machine does. */
export const systemResolver: Resolver = async (name) =>
  (await lookup(name, { all: true, verbatim: true })).map(({ address }) => address)

/**
 * Connects to the place of a model. The name is looked up once, every address is checked, and the checked addresses themselves are dialled;
 * one address that may not be called refuses them all.
 *
 * @throws NoConnection
 */
export async function dial(place: Place, resolve: Resolver, signal: AbortSignal): Promise<Socket> {
  const addresses = isIP(place.host) === 0 ? await look(place, resolve) : [place.host]
  if (!addresses.every((address) => place.reach.includes(kindOfAddress(address))))
    throw new NoConnection('address', `${place.origin} leads to an address that is not called.`)
  let last: unknown
  for (const address of addresses.slice(0, MAX_ATTEMPTS)) {
    if (signal.aborted) break
    try {
      return await open(place, address, signal)
    } catch (cause) {
      last = cause
    }
  }
  throw new NoConnection('connect', `No connection to ${place.origin}${codeOf(last)}.`, { cause: last })
}

async function look(place: Place, resolve: Resolver): Promise<readonly string[]> {
  try {
    const addresses = await resolve(place.host)
    if (addresses.length > 0 && addresses.length <= MAX_ADDRESSES) return addresses
  } catch (cause) {
    throw new NoConnection('name', `The name ${place.host} could not be looked up${codeOf(cause)}.`, { cause })
  }
  throw new NoConnection('name', `The name ${place.host} has no addresses, or too many.`)
}

function open({ secure, host, port }: Place, address: string, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const servername = isIP(host) === 0 ? host : ''
    const tls = { servername, ALPNProtocols: ['http/1.1'], minVersion: 'TLSv1.2', rejectUnauthorized: true } as const
    const to = { host: address, port }
    const socket = secure ? connectTls({ ...to, ...tls }) : connectTcp({ ...to, noDelay: true })
    socket.on('error', () => undefined) // whoever takes it over listens for itself; until then an error must not end the process
    const end = (): void => void socket.destroy(new Error('given up'))
    const fail = (error: Error): void => {
      signal.removeEventListener('abort', end)
      reject(error)
    }
    signal.addEventListener('abort', end, { once: true })
    socket.once('error', fail)
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      signal.removeEventListener('abort', end)
      socket.off('error', fail)
      resolve(socket)
    })
    if (signal.aborted) end()
  })
}

/** The platform's code of an error, such as ECONNREFUSED: codes are safe to show, messages are not. */
function codeOf(error: unknown): string {
  const code: unknown = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(code) ? ` (${code})` : ''
}
