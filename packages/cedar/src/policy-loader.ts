import { createHash } from 'node:crypto'
import {
  canonicalJson,
  type Json,
  type PolicyLoader,
  type PolicyLoading,
  type PolicyRule,
  type PolicyText,
} from '@tidegate/kernel'
import { describePolicies } from './describe.ts'
import { createCedarEngine } from './engine.ts'
import { CedarError } from './error.ts'
import type { CedarSchema } from './schema.ts'

/** How many sets are kept: a change is looked at several times until it is in force. */
const KEPT = 4

/**
 * Creates the loader of policies: Cedar text against the schema of what is declared now, or against one that was recorded.
 *
 * A recorded schema is text that we wrote and that has the digest under which the ledger knows it; nothing else may be given.
 */
export function createPolicyLoader(schema: CedarSchema): PolicyLoader {
  const current = canonicalJson(schema as unknown as Json) // plain data
  const kept = new Map<string, PolicyLoading>()
  return {
    load(texts) {
      const key = createHash('sha256').update(JSON.stringify(texts)).digest('hex')
      const known = kept.get(key)
      if (known !== undefined) return known
      const loading = load(texts, schema, current)
      const [oldest] = kept.keys()
      if (kept.size >= KEPT && oldest !== undefined) kept.delete(oldest)
      kept.set(key, loading)
      return loading
    },
    restore: (texts, recorded) => load(texts, JSON.parse(recorded) as CedarSchema, recorded),
  }
}

function load(texts: readonly PolicyText[], schema: CedarSchema, text: string): PolicyLoading {
  try {
    const engine = createCedarEngine({ policies: texts, schema })
    const described = describePolicies(engine.policies)
    const rules = described.map((rule, i): PolicyRule => ({ ...rule, text: engine.policies[i]?.text ?? '' }))
    return { kind: 'loaded', set: { engine, explain: engine.explain, rules, schema: text } }
  } catch (cause) {
    if (!(cause instanceof CedarError)) throw cause
    return { kind: 'refused', faults: cause.issues, cause }
  }
}
