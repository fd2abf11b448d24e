import { canonicalJson } from '@tidegate/kernel'
import { readFileState, sha256Of } from './file-state.ts'

/**
 * What a set of configuration files says right now: hex SHA-256 over the RFC 8785 form of [[file, hex SHA-256 of its bytes or null], ...],
 * sorted by file. A proof holds for as long as this stays.
 */
export function configDigest(files: readonly string[]): string {
  const rows = [...new Set(files)].toSorted().map((file) => [file, readFileState(file)?.sha256 ?? null])
  return sha256Of(new TextEncoder().encode(canonicalJson(rows)))
}
