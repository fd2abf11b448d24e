import { createHash } from 'node:crypto'
import { canonicalJson, type Json } from '@tidegate/kernel'
import type { PolicyFile } from './load.ts'
import type { CedarSchema } from './schema.ts'

/** Hex SHA-256 over the texts of policies and the schema. The order of files and their names have no meaning, so they have no part in it. */
export function policyVersionOf(policies: readonly PolicyFile[], schema: CedarSchema): string {
  const policyTexts = policies.map((policy) => policy.text).toSorted()
  const content = { policies: policyTexts, schema: JSON.parse(JSON.stringify(schema)) as Json }
  return createHash('sha256').update(canonicalJson(content)).digest('hex')
}
