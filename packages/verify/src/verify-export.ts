import {
  type Checkpoint,
  type CheckpointTrust,
  type CheckpointVerdict,
  decodeUtf8,
  encodeHex,
  KernelError,
  NOTE_MAX_BYTES,
  openCheckpoint,
  parseVerifierKey,
  type VerifierKey,
} from '@tidegate/kernel'
import { CHECKPOINT_PATH, KEY_PATH, readExportFile, refuseUnexpectedFiles } from './export-files.ts'
import { nodeHasher, nodeSignatureVerifier } from './node-crypto.ts'
import { type ExportVerdict, type ExportVerified, Refusal } from './verdict.ts'
import { verifyPayloads } from './verify-payloads.ts'
import { verifyTree } from './verify-tree.ts'

/** What the caller trusts and knows. */
export interface ExportOptions {
  /** The ledger's keys. Without any, the key inside the export is used, and the verdict says so. */
  readonly logKeys?: readonly VerifierKey[]
  readonly witnessKeys?: readonly VerifierKey[]
  /** How many different witnesses must have cosigned: all of them unless told. */
  readonly quorum?: number
  /** An older signed checkpoint of this ledger, which the export must continue. */
  readonly since?: string
  /** Whether to check also that every entry is canonical JSON; costs about as much again. */
  readonly canonical?: boolean
}

/**
 * Verifies an export from its files alone: signatures, cosignatures, every entry, every tile, the root, that it continues an
 * older checkpoint, and every payload that is there. Nothing is taken from the network, and nothing may change in the directory
 * meanwhile. The directory is controlled by whoever made it; memory use does not depend on its size but for one bit per entry.
 */
export function verifyExport(directory: string, options: ExportOptions = {}): ExportVerdict {
  try {
    return verifyOrRefuse(directory, options)
  } catch (error) {
    if (error instanceof Refusal) return error.verdict
    throw error
  }
}

function verifyOrRefuse(directory: string, options: ExportOptions): ExportVerified {
  const keys = chooseKeys(directory, options)
  const trust: CheckpointTrust = {
    logKeys: keys.logKeys,
    witnessKeys: options.witnessKeys ?? [],
    ...(options.quorum === undefined ? {} : { quorum: options.quorum }),
  }
  const { checkpoint, cosigned } = openOrRefuse(readText(directory, CHECKPOINT_PATH, NOTE_MAX_BYTES), trust, CHECKPOINT_PATH)
  const since = options.since === undefined ? undefined : openSince(options.since, keys.logKeys, checkpoint)
  const tree = verifyTree(directory, {
    checkpoint,
    canonical: options.canonical ?? false,
    ...(since === undefined ? {} : { since }),
  })
  const { present } = verifyPayloads(directory, checkpoint.size)
  refuseUnexpectedFiles(directory, checkpoint.size)
  return {
    kind: 'verified',
    origin: checkpoint.origin,
    size: checkpoint.size,
    rootHex: encodeHex(checkpoint.root),
    keyFrom: keys.keyFrom,
    cosigned,
    ...(since === undefined ? {} : { sinceSize: since.size }),
    payloads: { named: tree.payloadsNamed, present, erased: tree.payloadsNamed - present },
  }
}

/** The caller's keys, or the export's own. When both are there, the export's must be one of the caller's. */
function chooseKeys(
  directory: string,
  options: ExportOptions,
): { logKeys: readonly VerifierKey[]; keyFrom: 'caller' | 'export' } {
  const own = readOwnKey(directory)
  const logKeys = options.logKeys ?? []
  if (logKeys.length === 0) return { logKeys: [own], keyFrom: 'export' }
  if (logKeys.some((key) => key.name === own.name && key.keyId === own.keyId)) return { logKeys, keyFrom: 'caller' }
  throw new Refusal('key_mismatch', KEY_PATH, `The export is by ${own.name} (${own.keyId}), which is none of the keys given.`)
}

function readOwnKey(directory: string): VerifierKey {
  try {
    return parseVerifierKey(nodeHasher, readText(directory, KEY_PATH, 1024))
  } catch (error) {
    if (error instanceof KernelError) throw new Refusal('file_malformed', KEY_PATH, error.message)
    throw error
  }
}

function readText(directory: string, path: string, maxBytes: number): string {
  const bytes = readExportFile(directory, path, maxBytes)
  try {
    return decodeUtf8(bytes)
  } catch (error) {
    if (error instanceof KernelError) throw new Refusal('file_malformed', path, error.message)
    throw error
  }
}

function openOrRefuse(note: string, trust: CheckpointTrust, place: string): Extract<CheckpointVerdict, { kind: 'verified' }> {
  let verdict: CheckpointVerdict
  try {
    verdict = openCheckpoint(nodeSignatureVerifier, note, trust)
  } catch (error) {
    if (error instanceof KernelError) throw new Refusal('checkpoint_malformed', place, error.message)
    throw error
  }
  if (verdict.kind === 'refused') throw new Refusal(verdict.because, place, verdict.detail)
  return verdict
}

function openSince(note: string, logKeys: readonly VerifierKey[], now: Checkpoint): Checkpoint {
  const { checkpoint } = openOrRefuse(note, { logKeys }, 'the older checkpoint')
  if (checkpoint.origin !== now.origin) {
    throw new Refusal(
      'other_ledger',
      'the older checkpoint',
      `It is of the ledger ${checkpoint.origin}, the export of ${now.origin}.`,
    )
  }
  if (checkpoint.size > now.size) {
    const detail = `The ledger had ${checkpoint.size} entries and now has ${now.size}: its tail was cut off.`
    throw new Refusal('shortened', CHECKPOINT_PATH, detail)
  }
  return checkpoint
}
