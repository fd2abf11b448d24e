/** What a log asks of a witness: remember this checkpoint as the newest, and say so (C2SP tlog-witness). */
export interface CosignRequest {
  /** The size of the checkpoint that the witness cosigned last, as far as the log knows; 0 for none. */
  readonly oldSize: number
  /** The RFC 6962 consistency proof from the old size to the checkpoint's; empty when the old size is 0. */
  readonly proof: readonly Uint8Array[]
  /** The signed checkpoint, a note text as it will be published. */
  readonly checkpoint: string
}

/** Why a witness refused, or why there is no answer to rely on. */
export type WitnessRefusal = 'bad_proof' | 'bad_signature' | 'malformed' | 'unknown_log' | 'unreachable'

/** What the witness said. Nothing but `cosigned` is a yes. */
export type WitnessAnswer =
  /** The witness stored the checkpoint. The note lines go behind those of the checkpoint; verify them before relying on them. */
  | { readonly kind: 'cosigned'; readonly signatureLines: string }
  /** The witness holds a checkpoint of another size: ask again with a proof from that one, or find out who shortened the log. */
  | { readonly kind: 'conflict'; readonly heldSize: number }
  /** `because` is for code, `detail` for people. */
  | { readonly kind: 'refused'; readonly because: WitnessRefusal; readonly detail: string }

/**
 * Somebody outside who remembers the last checkpoint, so that a log cannot be shortened or forked unseen (I10).
 *
 * `cosign` never throws for what the network or the witness does; it answers within the adapter's time limit.
 */
export interface Witness {
  cosign(request: CosignRequest): Promise<WitnessAnswer>
}
