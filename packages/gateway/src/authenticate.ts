import { createHash, timingSafeEqual } from 'node:crypto'
import type { Person } from '@tidegate/runtime'
import { GatewayError } from './error.ts'

/** Tells who holds a token; undefined when nobody does. Must take the same time whatever the token is. */
export type Authenticate = (token: string) => Person | undefined

/** A person and the secret that proves that it is them. */
export interface TokenHolder {
  readonly person: Person
  /** At least 32 visible ASCII characters. */
  readonly token: string
}

/**
 * Authenticates by bearer token, in constant time: the digest of what was sent is compared with the digest of every token, and no
 * comparison is skipped. Only digests stay in memory.
 *
 * @throws GatewayError `gateway_token_weak` for a token that is too short, or that two people share.
 */
export function createTokenAuthenticator(holders: readonly TokenHolder[]): Authenticate {
  return authenticator(holders.map(({ person, token }) => ({ holder: person, name: person.id, token })))
}

/** A host and the secret that proves that it is that host. */
export interface HostTokenHolder {
  readonly host: string
  readonly tickets: boolean
  /** At least 32 visible ASCII characters. */
  readonly token: string
}

/** The same for hosts, whose tokens open other routes than those of people. @throws GatewayError `gateway_token_weak`. */
export function createHostAuthenticator(
  holders: readonly HostTokenHolder[],
): (token: string) => Omit<HostTokenHolder, 'token'> | undefined {
  return authenticator(holders.map(({ host, tickets, token }) => ({ holder: { host, tickets }, name: host, token })))
}

function authenticator<T>(
  holders: readonly { readonly holder: T; readonly name: string; readonly token: string }[],
): (token: string) => T | undefined {
  const known = holders.map(({ holder, name, token }) => {
    if (!/^[\x21-\x7e]{32,512}$/.test(token)) {
      throw new GatewayError(
        'gateway_token_weak',
        `The token of ${name} must be 32 to 512 visible ASCII characters. Delete its file to get a new one.`,
      )
    }
    return { holder, digest: digestOf(token) }
  })
  if (new Set(known.map(({ digest }) => digest.toString('hex'))).size < known.length) {
    throw new GatewayError('gateway_token_weak', 'Two have the same token. Delete one of the files to get a new one.')
  }
  return (token) => {
    const sent = digestOf(token)
    let found: T | undefined
    for (const { holder, digest } of known) {
      if (timingSafeEqual(sent, digest)) found = holder
    }
    return found
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest()
}
