import { canonicalJson, decodeUtf8, ENTRY_MAX_BYTES, KernelError, parseJson } from '@tidegate/kernel'

/** What an entry says about its payload, or what is wrong with it. */
export type EntryPayload =
  | { readonly kind: 'none' }
  | { readonly kind: 'named'; readonly digestHex: string }
  | { readonly kind: 'malformed'; readonly detail: string }

const NONE: EntryPayload = { kind: 'none' }
const MEMBER = Buffer.from('"payload":')

/**
 * Finds the digest of an entry's payload: its top-level member `payload`, 64 lower-case hex digits.
 *
 * Reads the JSON only when those bytes occur at all.
 */
export function entryPayload(entry: Buffer): EntryPayload {
  if (!entry.includes(MEMBER)) return NONE
  let value: unknown
  try {
    value = JSON.parse(entry.toString('utf8'))
  } catch {
    return { kind: 'malformed', detail: 'The entry names a payload but is not JSON.' }
  }
  if (typeof value !== 'object' || value === null || !('payload' in value)) return NONE
  const digest: unknown = value.payload
  if (typeof digest !== 'string' || !/^[0-9a-f]{64}$/.test(digest)) {
    return { kind: 'malformed', detail: 'The entry\u2019s payload member is not a lower-case hex SHA-256.' }
  }
  return { kind: 'named', digestHex: digest }
}

/** Why an entry is not canonical JSON; `undefined` when it is. */
export function whyNotCanonical(entry: Uint8Array): string | undefined {
  try {
    const text = decodeUtf8(entry)
    return canonicalJson(parseJson(text, { maxBytes: ENTRY_MAX_BYTES })) === text
      ? undefined
      : 'The entry is JSON, but not in canonical form.'
  } catch (error) {
    if (error instanceof KernelError) return error.message
    throw error
  }
}
