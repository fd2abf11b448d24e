import type { Entropy, Hasher, Signer } from '@tidegate/kernel'
import { nodeEntropy } from './entropy.ts'
import { nodeHasher } from './hasher.ts'
import { signerOf } from './signing.ts'

/** The keys that the writer of a journal needs, as plain data. Never leaves the process. */
export interface JournalKeys {
  /** The name of the ledger, and of the key that signs it. */
  readonly origin: string
  /** PKCS #8 PEM of the ledger's Ed25519 key. */
  readonly pem: string
  /** 32 bytes that wrap the key of each run. */
  readonly masterKey: Uint8Array
}

/** What the writer of a journal is made of. */
export interface JournalParts {
  readonly hasher: Hasher
  readonly entropy: Entropy
  readonly signer: Signer
  readonly masterKey: Uint8Array
}

/** Makes the parts of a journal's writer; called once in each thread, since neither keys in use nor functions cross between them. */
export function createWriterParts({ origin, pem, masterKey }: JournalKeys): JournalParts {
  return { hasher: nodeHasher, entropy: nodeEntropy, signer: signerOf(origin, pem), masterKey }
}
