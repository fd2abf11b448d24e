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
  const known = holders.map(({ person, token }) => {
    if (!/^[\x21-\x7e]{32,512}$/.test(token)) {
      throw new GatewayError(
        'gateway_token_weak',
        `The token of ${person.id} must be 32 to 512 visible ASCII characters. Delete its file to get a new one.`,
      )
    }
    return { person, digest: digestOf(token) }
  })
  if (new Set(known.map(({ digest }) => digest.toString('hex'))).size < known.length) {
    throw new GatewayError('gateway_token_weak', 'Two people have the same token. Delete one of the files to get a new one.')
  }
  return (token) => {
    const sent = digestOf(token)
    let found: Person | undefined
    for (const { person, digest } of known) {
      if (timingSafeEqual(sent, digest)) found = person
    }
    return found
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest()
}
