import { nodeEntropy, nodeHasher, signerOf } from '@tidegate/crypto-node'

/** The parts of a writer, made again in its thread. */
export function createWriterParts({ pem, masterKey }: { pem: string; masterKey: string }) {
  return {
    hasher: nodeHasher,
    entropy: nodeEntropy,
    signer: signerOf('journal.test/log', pem),
    masterKey: Buffer.from(masterKey, 'hex'),
  }
}
