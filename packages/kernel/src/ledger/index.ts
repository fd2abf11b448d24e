export { ADD_CHECKPOINT_MAX_BYTES, encodeAddCheckpoint, parseAddCheckpoint } from './add-checkpoint.ts'
export {
  type Checkpoint,
  type CheckpointRefusal,
  type CheckpointTrust,
  type CheckpointVerdict,
  type Cosigned,
  cosignCheckpoint,
  encodeCheckpoint,
  openCheckpoint,
  parseCheckpoint,
  signCheckpoint,
} from './checkpoint.ts'
export {
  decodeEntryBundle,
  ENTRY_BUNDLE_MAX_BYTES,
  ENTRY_MAX_BYTES,
  encodeEntryBundle,
  splitEntryBundle,
} from './entry-bundle.ts'
export {
  createExporter,
  type ExportFile,
  type ExportHead,
  type Exporter,
  exportFiles,
  payloadFile,
  type RunPayloads,
} from './export.ts'
export { createFrontier, type Frontier, type FrontierSnapshot, restoreFrontier, type StoredTree } from './frontier.ts'
export { emptyRoot, HASH_BYTES, isSameHash, leafHash, MAX_TREE_SIZE, nodeHash } from './hash.ts'
export {
  encodeNote,
  encodeSignatureLine,
  NOTE_MAX_BYTES,
  NOTE_MAX_SIGNATURES,
  type SignedNote,
  type NoteSignature,
  type NoteSigner,
  type NoteVerdict,
  parseNote,
  parseSignatureLines,
  signNote,
  verifyNote,
} from './note.ts'
export { encodePayloadLine, PAYLOAD_LINE_MAX_CHARS, type Payload, parsePayloadLine, payloadPath } from './payload.ts'
export { consistencyProof, consistencyTiles, inclusionProof, inclusionTiles } from './proof.ts'
export {
  encodeReceipt,
  parseReceipt,
  RECEIPT_MAX_BYTES,
  type Receipt,
  type ReceiptVerdict,
  type Verification,
  verifyReceipt,
} from './receipt.ts'
export {
  entriesPath,
  parseTilePath,
  partialTiles,
  subtreeRoot,
  TILE_WIDTH,
  type Tile,
  type TileCoordinate,
  type TilePath,
  type TileReader,
  tilePath,
  tileWidth,
} from './tile.ts'
export {
  createVerifierKey,
  encodeVerifierKey,
  isKeyName,
  parseVerifierKey,
  type SignatureAlgorithm,
  type VerifierKey,
} from './verifier-key.ts'
export {
  type ConsistencyClaim,
  type InclusionClaim,
  PROOF_MAX_HASHES,
  verifyConsistency,
  verifyInclusion,
} from './verify-proof.ts'
