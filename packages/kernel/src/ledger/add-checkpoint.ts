import { KernelError } from '../error.ts'
import type { CosignRequest } from '../ports/witness.ts'
import { NOTE_MAX_BYTES } from './note.ts'
import { encodeProofLines, parseDecimal, parseProofLines } from './proof-lines.ts'

/** The largest request body that a witness reads, in bytes: a full proof and the largest note. */
export const ADD_CHECKPOINT_MAX_BYTES = 4096 + NOTE_MAX_BYTES

/** Writes the body of `POST /add-checkpoint` (C2SP tlog-witness). */
export function encodeAddCheckpoint(request: CosignRequest): string {
  return `old ${request.oldSize}\n${encodeProofLines(request.proof)}\n${request.checkpoint}`
}

/**
 * Reads the body of `POST /add-checkpoint`. It is controlled by whoever can reach the witness; neither the checkpoint nor the
 * proof is checked here.
 *
 * @throws KernelError `checkpoint_malformed`.
 */
export function parseAddCheckpoint(body: string): CosignRequest {
  if (body.length > ADD_CHECKPOINT_MAX_BYTES) throw malformed(`it is larger than ${ADD_CHECKPOINT_MAX_BYTES} bytes`)
  const split = body.indexOf('\n\n')
  if (split < 0) throw malformed('no empty line stands before the checkpoint')
  const [first = '', ...lines] = body.slice(0, split).split('\n')
  const oldSize = first.startsWith('old ') ? parseDecimal(first.slice(4)) : undefined
  if (oldSize === undefined) throw malformed('the first line is not "old" and a size')
  const proof = parseProofLines(lines)
  if (proof === undefined) throw malformed('the proof is not at most 63 lines of one hash each')
  return { oldSize, proof, checkpoint: body.slice(split + 2) }
}

function malformed(what: string): KernelError {
  return new KernelError('checkpoint_malformed', `The add-checkpoint request is refused: ${what}.`)
}
