import { nodeEntropy, nodeHasher, signerOf } from '@tidegate/crypto-node'

/** The keys that the writer needs, as plain data. Never leaves the process. */
export interface JournalKeys {
  readonly origin: string
  /** PKCS #8 PEM of the ledger's Ed25519 key. */
  readonly pem: string
  /** 32 bytes. */
  readonly masterKey: Uint8Array
}

/** Makes the parts of the journal's writer; called once in each thread. */
export function createWriterParts({ origin, pem, masterKey }: JournalKeys) {
  return { hasher: nodeHasher, entropy: nodeEntropy, signer: signerOf(origin, pem), masterKey }
}
