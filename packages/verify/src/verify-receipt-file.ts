import {
  type CheckpointTrust,
  KernelError,
  parseReceipt,
  type Receipt,
  type ReceiptVerdict,
  verifyReceipt,
} from '@tidegate/kernel'
import { nodeHasher, nodeSignatureVerifier } from './node-crypto.ts'

/** What became of the text of a receipt; with the receipt when it is believed. */
export type ReceiptTextVerdict =
  | (Extract<ReceiptVerdict, { kind: 'verified' }> & { readonly receipt: Receipt })
  | { readonly kind: 'refused'; readonly because: string; readonly detail: string }

/** Verifies a receipt from its text. One that cannot be read is refused like one that proves nothing. */
export function verifyReceiptText(text: string, trust: CheckpointTrust): ReceiptTextVerdict {
  try {
    const receipt = parseReceipt(text)
    const verdict = verifyReceipt({ hasher: nodeHasher, verifier: nodeSignatureVerifier }, receipt, trust)
    return verdict.kind === 'verified' ? { ...verdict, receipt } : verdict
  } catch (error) {
    if (error instanceof KernelError) return { kind: 'refused', because: error.code, detail: error.message }
    throw error
  }
}
