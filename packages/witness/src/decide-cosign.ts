import {
  type Checkpoint,
  type CosignRequest,
  emptyRoot,
  encodeHex,
  type Hasher,
  isSameHash,
  KernelError,
  parseCheckpoint,
  parseNote,
  type SignatureVerifier,
  type SignedNote,
  type VerifierKey,
  verifyConsistency,
  verifyNote,
} from '@tidegate/kernel'

/** What a witness knows before a request comes. */
export interface WitnessView {
  /** The keys of the ledgers it watches; a key is for the ledger that bears its name. */
  readonly logKeys: readonly VerifierKey[]
  /** The last checkpoint it cosigned for a ledger; `undefined` when there is none. */
  readonly held: (origin: string) => Checkpoint | undefined
}

/** What a witness answers, and what it must store before it does. */
export type CosignDecision =
  /** Store and cosign `note`, the checkpoint with the verified signatures of its ledger only. */
  | { readonly kind: 'cosign'; readonly checkpoint: Checkpoint; readonly note: SignedNote }
  | { readonly kind: 'conflict'; readonly heldSize: number }
  | {
      readonly kind: 'refused'
      readonly because: 'bad_proof' | 'bad_signature' | 'malformed' | 'unknown_log'
      readonly detail: string
    }

/**
 * Decides whether to cosign a checkpoint (C2SP tlog-witness, "add-checkpoint"): the ledger is known and has signed it, the old
 * size is the one held, and the proof shows that the new tree begins with the held one.
 *
 * The proof is measured against the root that is held, never against one that the request brings. Pure.
 */
export function decideCosign(
  { hasher, verifier }: { readonly hasher: Hasher; readonly verifier: SignatureVerifier },
  view: WitnessView,
  request: CosignRequest,
): CosignDecision {
  const read = readCheckpoint(request.checkpoint)
  if (read === undefined) return refuse('malformed', 'The checkpoint cannot be read.')
  const { note, checkpoint } = read

  const keys = view.logKeys.filter((key) => key.name === checkpoint.origin && key.algorithm === 'ed25519')
  if (keys.length === 0) return refuse('unknown_log', 'This witness does not watch that ledger.')
  const verdict = verifyNote(verifier, note, keys)
  if (verdict.kind === 'refused') return refuse('bad_signature', verdict.detail)

  if (request.oldSize > checkpoint.size) return refuse('malformed', 'The old size is larger than the size of the checkpoint.')
  const held = view.held(checkpoint.origin) ?? { size: 0, root: emptyRoot(hasher) }
  if (request.oldSize !== held.size) return { kind: 'conflict', heldSize: held.size }
  if (checkpoint.size === 0 && !isSameHash(checkpoint.root, emptyRoot(hasher))) {
    return refuse('bad_proof', 'An empty ledger has the root of the empty tree.')
  }
  const claim = {
    oldSize: held.size,
    oldRoot: held.root,
    newSize: checkpoint.size,
    newRoot: checkpoint.root,
    proof: request.proof,
  }
  if (!verifyConsistency(hasher, claim)) {
    return refuse('bad_proof', `The proof does not lead from the ${held.size} entries held, root ${encodeHex(held.root)}.`)
  }
  const known = note.signatures.filter((line) => keys.some((key) => key.name === line.name && key.keyId === line.keyId))
  return { kind: 'cosign', checkpoint, note: { text: note.text, signatures: known } }
}

function readCheckpoint(text: string): { note: SignedNote; checkpoint: Checkpoint } | undefined {
  try {
    const note = parseNote(text)
    return { note, checkpoint: parseCheckpoint(note.text) }
  } catch (error) {
    if (error instanceof KernelError) return undefined
    throw error
  }
}

function refuse(
  because: Extract<CosignDecision, { kind: 'refused' }>['because'],
  detail: string,
): Extract<CosignDecision, { kind: 'refused' }> {
  return { kind: 'refused', because, detail }
}
