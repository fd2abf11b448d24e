import {
  type Clock,
  consistencyProof,
  type Hasher,
  KernelError,
  type LedgerHead,
  type LedgerReader,
  type Log,
  openCheckpoint,
  parseVerifierKey,
  type SignatureVerifier,
  type Witness,
} from '@tidegate/kernel'

/** What a witness says about our ledger. */
export type WitnessState =
  /** It has cosigned; `checkpoint` is ours with its signature, over the size it saw. */
  | { readonly kind: 'cosigned'; readonly size: number; readonly checkpoint: string }
  /** It holds a longer ledger than we have: our tail is lost, or somebody forked us. */
  | { readonly kind: 'shortened'; readonly heldSize: number; readonly size: number }
  | { readonly kind: 'unavailable'; readonly detail: string }

export interface WitnessingParts {
  readonly ledger: LedgerReader
  readonly witness: Witness
  /** The key of the witness, as a C2SP verifier key. */
  readonly witnessKey: string
  readonly hasher: Hasher
  readonly verifier: SignatureVerifier
  readonly clock: Clock
  readonly log: Log
}

/** Shows our newest checkpoint to a witness, now and then. */
export interface Witnessing {
  /** Shows it now. */
  show(): Promise<WitnessState>
  /** The last checkpoint that was cosigned, with its signatures. */
  readonly cosigned: string | undefined
  /** Shows it every so often, until told to stop. */
  every(ms: number, onShortened: (state: Extract<WitnessState, { kind: 'shortened' }>) => void): () => void
}

/** Creates the witnessing of one ledger (I10). A cosignature counts only when it verifies under the key that we trust. */
export function createWitnessing(parts: WitnessingParts): Witnessing {
  let oldSize = 0
  let cosigned: string | undefined

  let last: Promise<unknown> = Promise.resolve()

  /** One after the other: two at once could overtake each other, and the later answer would look as if the ledger had shrunk. */
  function show(): Promise<WitnessState> {
    const next = last.then(showNow)
    last = next.catch(() => undefined) // whoever asked has the rejection
    return next
  }

  async function showNow(): Promise<WitnessState> {
    const head = parts.ledger.head()
    const first = await ask(head, Math.min(oldSize, head.size))
    if (first.kind !== 'conflict') return first
    if (first.heldSize > head.size) return { kind: 'shortened', heldSize: first.heldSize, size: head.size }
    const second = await ask(head, first.heldSize)
    return second.kind === 'conflict' ? { kind: 'unavailable', detail: 'the witness keeps changing its mind' } : second
  }

  async function ask(head: LedgerHead, from: number): Promise<WitnessState | { kind: 'conflict'; heldSize: number }> {
    const proof = consistencyProof(parts.hasher, from, head.size, parts.ledger.tile)
    const answer = await parts.witness.cosign({ oldSize: from, proof, checkpoint: head.checkpoint })
    if (answer.kind === 'conflict') return answer
    if (answer.kind === 'refused') {
      // A proof of ours that does not hold means that what we have is not what the witness has seen.
      if (answer.because === 'bad_proof') return { kind: 'shortened', heldSize: from, size: head.size }
      return { kind: 'unavailable', detail: answer.detail }
    }
    const checkpoint = head.checkpoint + answer.signatureLines
    if (!isCosigned(parts, checkpoint))
      return { kind: 'unavailable', detail: 'the cosignature does not verify under the key of the witness' }
    oldSize = head.size
    cosigned = checkpoint
    return { kind: 'cosigned', size: head.size, checkpoint }
  }

  return {
    show,
    get cosigned() {
      return cosigned
    },
    every(ms, onShortened) {
      let cancel = (): void => {}
      let stopped = false
      const again = (): void => {
        cancel = parts.clock.at(parts.clock.nowMs() + ms, () => {
          show()
            .then((state) => {
              if (state.kind === 'shortened') onShortened(state)
              else if (state.kind === 'unavailable')
                parts.log({
                  level: 'warning',
                  code: 'witness_unavailable',
                  message: `the witness did not cosign: ${state.detail}`,
                })
            })
            .catch((error: unknown) =>
              parts.log({
                level: 'error',
                code: 'witness_unavailable',
                message: `showing the ledger to the witness failed: ${error instanceof Error ? error.message : 'unknown'}`,
              }),
            )
            .finally(() => {
              if (!stopped) again()
            })
        })
      }
      again()
      return () => {
        stopped = true
        cancel()
      }
    },
  }
}

/** True when the checkpoint bears our signature and that of the witness. What the witness sent is outside data: it may be no signature at all. */
function isCosigned({ hasher, verifier, ledger, witnessKey }: WitnessingParts, checkpoint: string): boolean {
  const logKeys = [parseVerifierKey(hasher, ledger.verifierKey)]
  const witnessKeys = [parseVerifierKey(hasher, witnessKey)]
  try {
    const opened = openCheckpoint(verifier, checkpoint, { logKeys, witnessKeys })
    return opened.kind !== 'refused' && opened.cosigned.length > 0
  } catch (error) {
    if (error instanceof KernelError) return false
    throw error
  }
}
