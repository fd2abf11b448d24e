import { join } from 'node:path'
import { createSigningKey, nodeEntropy, signerOf } from '@tidegate/crypto-node'
import type { JournalKeys } from '@tidegate/crypto-node/writer-parts'
import { ServerError } from '../error.ts'
import { readOrCreatePrivate } from './private-file.ts'

/** Opens the keys below the state directory, or makes them at the first start. @throws ServerError `state_unusable`. */
export function openKeys(directory: string, origin: string): JournalKeys {
  const pem = readOrCreatePrivate(join(directory, 'keys', 'ledger.key'), createSigningKey)
  const hex = readOrCreatePrivate(join(directory, 'keys', 'payload.key'), () =>
    Buffer.from(nodeEntropy.bytes(32)).toString('hex'),
  ).trim()
  if (!/^[0-9a-f]{64}$/.test(hex))
    throw new ServerError('state_unusable', 'keys/payload.key is not a key. Restore it: without it no run can be read.')
  try {
    signerOf(origin, pem)
    return { origin, pem, masterKey: Buffer.from(hex, 'hex') }
  } catch (cause) {
    throw new ServerError(
      'state_unusable',
      'keys/ledger.key is not an Ed25519 key. Restore it: the ledger goes on under the same key only.',
      { cause },
    )
  }
}

/** The token of each person, made at the first start: `tokens/<name>.token`, readable by the owner of the process alone. */
export function openTokens(directory: string, people: readonly { readonly id: string }[]): ReadonlyMap<string, string> {
  return new Map(people.map(({ id }) => [id, openToken(directory, id.slice('user:'.length))]))
}

/** The token of each host, made at the first start: `tokens/host-<name>.token`. */
export function openHostTokens(directory: string, hosts: readonly { readonly name: string }[]): ReadonlyMap<string, string> {
  return new Map(hosts.map(({ name }) => [name, openToken(directory, `host-${name}`)]))
}

function openToken(directory: string, name: string): string {
  const create = (): string => Buffer.from(nodeEntropy.bytes(32)).toString('base64url')
  return readOrCreatePrivate(join(directory, 'tokens', `${name}.token`), create).trim()
}
