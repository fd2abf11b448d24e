import { createWriterParts as createParts, type JournalKeys, type JournalParts } from '@tidegate/crypto-node/writer-parts'

/** The parts of a writer whose thread ends without a word while it signs its n-th checkpoint, as a crash in native code would end it. */
export function createWriterParts({ keys, crashAt }: { keys: JournalKeys; crashAt: number }): JournalParts {
  const parts = createParts(keys)
  let signed = 0
  const sign: JournalParts['signer']['sign'] = (message) => {
    signed += 1
    if (signed === crashAt) process.exit(1) // in a thread this ends the thread alone
    return parts.signer.sign(message)
  }
  return { ...parts, signer: { ...parts.signer, sign } }
}
