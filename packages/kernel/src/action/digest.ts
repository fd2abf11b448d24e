import { canonicalJson } from '../canonical/canonical.ts'
import type { Json } from '../canonical/json.ts'
import { encodeHex } from '../canonical/hex.ts'
import type { Hasher } from '../ports/hasher.ts'
import type { Operation } from './operation.ts'

/**
 * The identity of an action (I2): hex SHA-256 over the RFC 8785 form of tool, operation, normalised arguments and schema version.
 * What was decided, approved and executed carry the same digest, or nothing is executed.
 */
export function actionDigest(hasher: Hasher, operation: Operation, normalised: Json): string {
  return digestOf(hasher, {
    arguments: normalised,
    operation: operation.id,
    schema: operation.schemaVersion,
    tool: operation.tool,
  })
}

/** Hex SHA-256 over the RFC 8785 form of a value. */
export function digestOf(hasher: Hasher, value: Json): string {
  return encodeHex(hasher.sha256(canonicalJson(value)))
}
