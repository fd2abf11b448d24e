import {
  type Checkpoint,
  type Clock,
  createFrontier,
  encodeBase64,
  encodeReceipt,
  type ExportFile,
  exportFiles,
  type Hasher,
  inclusionProof,
  leafHash,
  type LedgerHead,
  type LedgerReader,
  openCheckpoint,
  parseVerifierKey,
  type SignatureVerifier,
} from '@tidegate/kernel'
import type { LedgerVerification, ReceiptAnswer } from '../api.ts'

/** How many entries are hashed before others get a turn. */
const SLICE = 2_000

/** Recomputes the tree from the stored texts and holds it against the signed checkpoint. Reads everything; writes nothing. */
export async function verifyLedger(parts: {
  ledger: LedgerReader
  hasher: Hasher
  verifier: SignatureVerifier
  clock: Clock
}): Promise<LedgerVerification> {
  const { ledger, hasher, verifier, clock } = parts
  const startedAtMs = clock.monotonicMs()
  const head = ledger.head()
  const problems: string[] = []
  const frontier = createFrontier(hasher)
  for (let at = 0; at < head.size; at += SLICE) {
    for (const text of ledger.texts(at, Math.min(head.size, at + SLICE))) frontier.append(leafHash(hasher, text))
    await new Promise<void>((resolve) => {
      clock.at(0, resolve)
    })
  }
  const root = encodeBase64(frontier.root())
  if (frontier.size !== head.size) problems.push(`the head counts ${head.size} entries, but ${frontier.size} are stored`)
  if (root !== head.root) problems.push('the stored entries do not hash to the root in the head')
  const opened = openHead(hasher, verifier, ledger.verifierKey, head)
  if (typeof opened === 'string') problems.push(opened)
  else if (opened.size !== frontier.size || encodeBase64(opened.root) !== root)
    problems.push('the signed checkpoint is over another tree')
  return { verified: problems.length === 0, size: frontier.size, root, problems, durationMs: clock.monotonicMs() - startedAtMs }
}

function openHead(hasher: Hasher, verifier: SignatureVerifier, key: string, head: LedgerHead): Checkpoint | string {
  const verdict = openCheckpoint(verifier, head.checkpoint, { logKeys: [parseVerifierKey(hasher, key)], witnessKeys: [] })
  return verdict.kind === 'refused' ? `the checkpoint is refused: ${verdict.detail}` : verdict.checkpoint
}

/** The receipt of one entry under the newest checkpoint. */
export function receiptOf(
  parts: { ledger: LedgerReader; hasher: Hasher },
  of: { readonly index: number } | { readonly run: string },
): ReceiptAnswer {
  const { ledger, hasher } = parts
  const head = ledger.head()
  const index = 'index' in of ? of.index : ledger.lastIndex(`run/${of.run}`)
  if (index === undefined) return { kind: 'not_found', message: 'there is no such run' }
  if (!Number.isSafeInteger(index) || index < 0 || index >= head.size)
    return { kind: 'not_found', message: `the ledger has entries 0 to ${head.size - 1}` }
  const [entry] = ledger.texts(index, index + 1)
  if (entry === undefined) return { kind: 'not_found', message: `entry ${index} is missing from the store` }
  const proof = inclusionProof(hasher, index, head.size, ledger.tile)
  return { kind: 'receipt', index, text: encodeReceipt({ entry, index, proof, checkpoint: head.checkpoint }) }
}

/** The files of an export as of now, a few at a time. */
export function exportOf(
  parts: { ledger: LedgerReader; hasher: Hasher },
  options: { payloads: boolean },
): { readonly size: number; readonly files: Iterable<ExportFile> } {
  const { ledger, hasher } = parts
  const head = ledger.head()
  const runs = options.payloads ? runPayloads(ledger, head.size) : []
  const files = exportFiles(hasher, {
    entries: ledger.texts(0, head.size),
    runs,
    checkpoint: head.checkpoint,
    verifierKey: ledger.verifierKey,
  })
  return { size: head.size, files }
}

function* runPayloads(ledger: LedgerReader, size: number) {
  for (const { stream, payloads } of ledger.payloads(size)) yield { runId: stream.slice('run/'.length), payloads }
}
