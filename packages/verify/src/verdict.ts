import type { CheckpointRefusal, Cosigned } from '@tidegate/kernel'

/** Why an export is not to be believed. */
export type ExportRefusal =
  | CheckpointRefusal
  | 'checkpoint_malformed'
  | 'entry_malformed'
  | 'file_malformed'
  | 'file_missing'
  | 'file_unexpected'
  | 'forked'
  | 'key_mismatch'
  | 'other_ledger'
  | 'payload_mismatch'
  | 'root_mismatch'
  | 'shortened'
  | 'tile_mismatch'

/** An export that is wrong, and where. */
export interface ExportRefused {
  readonly kind: 'refused'
  readonly because: ExportRefusal
  /** The file, and the entry or hash in it, that does not fit. */
  readonly place: string
  readonly detail: string
}

/** An export in which everything fits. */
export interface ExportVerified {
  readonly kind: 'verified'
  readonly origin: string
  readonly size: number
  readonly rootHex: string
  /** `export` when no key was given: the files then fit each other, but who made them is not proven. */
  readonly keyFrom: 'caller' | 'export'
  readonly cosigned: readonly Cosigned[]
  /** The size of the older checkpoint that this ledger continues, when one was given. */
  readonly sinceSize?: number
  readonly payloads: PayloadCount
}

/** How many entries name a payload, and for how many of them it is still there. */
export interface PayloadCount {
  readonly named: number
  readonly present: number
  /** Named and no longer there, which retention may do and is no error. */
  readonly erased: number
}

/** What became of an export. */
export type ExportVerdict = ExportRefused | ExportVerified

/** Carries a refusal up to where the verdict is given. Never leaves this package. */
export class Refusal extends Error {
  readonly verdict: ExportRefused

  constructor(because: ExportRefusal, place: string, detail: string) {
    super(detail)
    this.name = 'Refusal'
    this.verdict = { kind: 'refused', because, place, detail }
  }
}
