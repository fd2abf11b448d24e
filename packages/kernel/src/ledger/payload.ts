import { decodeBase64, encodeBase64 } from '../canonical/base64.ts'
import { KernelError } from '../error.ts'
import { parseDecimal } from './proof-lines.ts'

/** The encrypted payload of one entry. It lies beside the ledger, so that it can be erased without breaking a proof. */
export interface Payload {
  /** The index of the entry whose `payload` member is the SHA-256 of the ciphertext. */
  readonly index: number
  readonly ciphertext: Uint8Array
}

/** The longest line of a payload file that is read, in characters: 16 MiB. */
export const PAYLOAD_LINE_MAX_CHARS = 16_777_216

/**
 * The path of the payloads of one run in an export.
 *
 * @throws KernelError `ledger_range` when the run's id is not one of 1 to 128 letters, digits, `.`, `_` and `-`, led by a letter
 * or digit.
 */
export function payloadPath(runId: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(runId)) {
    throw new KernelError(
      'ledger_range',
      'The run id cannot name a file: use 1 to 128 letters, digits, dots, dashes and underscores.',
    )
  }
  return `payloads/${runId}.jsonl`
}

/** Writes one payload as a line of a payload file, with its newline. */
export function encodePayloadLine(payload: Payload): string {
  return `{"ciphertext":"${encodeBase64(payload.ciphertext)}","index":${payload.index}}\n`
}

const LINE = /^\{"ciphertext":"([A-Za-z0-9+/]*={0,2})","index":([0-9]+)\}$/

/** Reads one line of a payload file, without its newline; `undefined` unless {@link encodePayloadLine} writes exactly this text. */
export function parsePayloadLine(line: string): Payload | undefined {
  const match = line.length > PAYLOAD_LINE_MAX_CHARS ? null : LINE.exec(line)
  const ciphertext = decodeBase64(match?.[1] ?? '=')
  const index = parseDecimal(match?.[2] ?? '')
  return ciphertext === undefined || index === undefined ? undefined : { index, ciphertext }
}
