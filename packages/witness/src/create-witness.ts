import {
  type Checkpoint,
  cosignCheckpoint,
  createVerifierKey,
  encodeNote,
  encodeSignatureLine,
  encodeVerifierKey,
  KernelError,
  parseAddCheckpoint,
  parseCheckpoint,
  parseNote,
  type Signer,
  type VerifierKey,
  type WitnessAnswer,
} from '@tidegate/kernel'
import { type CheckpointStore, originHash } from './checkpoint-store.ts'
import { decideCosign } from './decide-cosign.ts'
import { WitnessError } from './error.ts'
import { nodeHasher, nodeSignatureVerifier } from './node-crypto.ts'

/** A witness in this process: the decision, the memory and the key together. */
export interface LocalWitness {
  /** The public key to give to those who verify, as text. */
  readonly verifierKey: string
  /**
   * Answers the body of an `add-checkpoint` request. Synchronous from the look at the held checkpoint to the durable write, so
   * that two requests cannot roll each other back.
   *
   * @throws WitnessError `witness_state_unusable` when it cannot remember; it then has not cosigned.
   */
  addCheckpoint(body: string): WitnessAnswer
  /** The last cosigned checkpoint of a ledger, by the hash of its origin; `undefined` when there is none. */
  heldNote(hashOfOrigin: string): string | undefined
}

/** What {@link createWitness} is made of. */
export interface WitnessParts {
  readonly signer: Signer
  readonly logKeys: readonly VerifierKey[]
  readonly store: CheckpointStore
  /** The time in seconds since 1970. */
  readonly nowSeconds: () => number
}

/**
 * Creates a witness for some ledgers and reads at once what it holds of each, so that a damaged memory stops it from starting.
 *
 * @throws WitnessError `witness_state_unusable`.
 */
export function createWitness({ signer, logKeys, store, nowSeconds }: WitnessParts): LocalWitness {
  const crypto = { hasher: nodeHasher, verifier: nodeSignatureVerifier }
  const origins = new Map(logKeys.map((key) => [originHash(key.name), key.name]))
  for (const origin of origins.values()) readHeld(store, origin)

  function addCheckpoint(body: string): WitnessAnswer {
    const request = readRequest(body)
    if (request === undefined) return { kind: 'refused', because: 'malformed', detail: 'The request cannot be read.' }
    const decision = decideCosign(crypto, { logKeys, held: (origin) => readHeld(store, origin) }, request)
    if (decision.kind !== 'cosign') return decision
    const { note, checkpoint } = decision
    const cosignature = cosignCheckpoint(nodeHasher, note.text, signer, nowSeconds())
    store.write(checkpoint.origin, encodeNote({ text: note.text, signatures: [...note.signatures, cosignature] }))
    return { kind: 'cosigned', signatureLines: encodeSignatureLine(cosignature) }
  }

  return {
    verifierKey: encodeVerifierKey(
      createVerifierKey(nodeHasher, { name: signer.name, algorithm: 'cosignature/v1', publicKey: signer.publicKey }),
    ),
    addCheckpoint,
    heldNote(hashOfOrigin) {
      const origin = origins.get(hashOfOrigin)
      return origin === undefined ? undefined : store.read(origin)
    },
  }
}

function readRequest(body: string) {
  try {
    return parseAddCheckpoint(body)
  } catch (error) {
    if (error instanceof KernelError) return undefined
    throw error
  }
}

function readHeld(store: CheckpointStore, origin: string): Checkpoint | undefined {
  const note = store.read(origin)
  if (note === undefined) return undefined
  try {
    const checkpoint = parseCheckpoint(parseNote(note).text)
    if (checkpoint.origin === origin) return checkpoint
  } catch (cause) {
    if (!(cause instanceof KernelError)) throw cause
    throw new WitnessError('witness_state_unusable', `What is stored of the ledger ${origin} is damaged. ${cause.message}`, {
      cause,
    })
  }
  throw new WitnessError('witness_state_unusable', `What is stored of the ledger ${origin} is a checkpoint of another one.`)
}
