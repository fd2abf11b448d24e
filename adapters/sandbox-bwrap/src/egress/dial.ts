import { lookup } from 'node:dns/promises'
import { connect, isIP, type Socket } from 'node:net'
import { type EgressGate, type EgressRequest, kindOfAddress } from '@tidegate/kernel'
import { endpointText } from './address.ts'

/** Resolves a name into addresses, all there are. */
export type Resolve = (host: string) => Promise<readonly string[]>

/** A connection that may be used, or why there is none. `status` is what a proxy answers. */
export type Dialled =
  | { readonly kind: 'connected'; readonly socket: Socket; readonly address: string }
  | { readonly kind: 'refused'; readonly status: 403 | 502; readonly reason: string }

export interface DialRules {
  readonly gate: EgressGate
  readonly resolve: Resolve
  readonly decideTimeoutMs: number
  readonly connectTimeoutMs: number
}

/** Asks the system. Runs outside of the sandbox: names are nothing that a command can reach by itself. */
export async function resolveWithSystem(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address)
}

/**
 * Asks the gate, resolves the name, and connects to an address that it checked itself: what a name means a second later does not matter.
 * Addresses that are not public need to be listed by the verdict, with their port. Every failure is a refusal (I6).
 */
export async function dial(request: EgressRequest, rules: DialRules): Promise<Dialled> {
  try {
    const verdict = await within(rules.decideTimeoutMs, rules.gate.decide(request))
    if (!verdict.allowed) return { kind: 'refused', status: 403, reason: verdict.reason }
    const listed = verdict.addresses ?? []
    const addresses =
      isIP(request.host) === 0 ? await within(rules.connectTimeoutMs, rules.resolve(request.host)) : [request.host]
    const address = addresses.find(
      (candidate) => kindOfAddress(candidate) === 'public' || listed.includes(endpointText(candidate, request.port)),
    )
    if (address !== undefined) return await connectTo(address, request.port, rules.connectTimeoutMs)
    const reason = addresses.length === 0 ? 'the name has no address' : 'its address is not public, and not listed'
    return { kind: 'refused', status: 403, reason }
  } catch (cause) {
    // A gate that fails has refused; a resolver that fails found nothing. The cause may quote what the command sent.
    const timedOut = cause instanceof Elapsed
    return {
      kind: 'refused',
      status: 403,
      reason: timedOut ? 'there was no decision in time' : 'it could not be decided or resolved',
    }
  }
}

class Elapsed extends Error {}

/** Rejects when time is up. */
function within<Value>(timeoutMs: number, promise: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Elapsed()), timeoutMs)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

function connectTo(address: string, port: number, timeoutMs: number): Promise<Dialled> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, autoSelectFamily: false })
    const fail = (reason: string): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ kind: 'refused', status: 502, reason })
    }
    const timer = setTimeout(() => fail('it did not answer in time'), timeoutMs)
    const failed = (): void => fail('it refused the connection')
    socket.once('error', failed)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', failed)
      // Whoever uses the connection watches how it ends; an error between is no reason to fall over.
      socket.on('error', () => socket.destroy())
      resolve({ kind: 'connected', socket, address })
    })
  })
}
