import { canonicalJson, type Json, type PolicyLoader, type PolicyLoading, type PolicyRule, type PolicyText } from '@tidegate/kernel'
import { describePolicies } from './describe.ts'
import { createCedarEngine } from './engine.ts'
import { CedarError } from './error.ts'
import type { CedarSchema } from './schema.ts'

/**
 * Creates the loader of policies: Cedar text against the schema of what is declared now, or against one that was recorded.
 *
 * A recorded schema is text that we wrote and that has the digest under which the ledger knows it; nothing else may be given.
 */
export function createPolicyLoader(schema: CedarSchema): PolicyLoader {
  const current = canonicalJson(schema as unknown as Json) // plain data
  return {
    load: (texts) => load(texts, schema, current),
    restore: (texts, recorded) => load(texts, JSON.parse(recorded) as CedarSchema, recorded),
  }
}

function load(texts: readonly PolicyText[], schema: CedarSchema, text: string): PolicyLoading {
  try {
    const engine = createCedarEngine({ policies: texts, schema })
    const described = describePolicies(engine.policies)
    const rules = described.map((rule, i): PolicyRule => ({ ...rule, text: engine.policies[i]?.text ?? '' }))
    return { kind: 'loaded', set: { engine, rules, schema: text } }
  } catch (cause) {
    if (!(cause instanceof CedarError)) throw cause
    return { kind: 'refused', faults: cause.issues, cause }
  }
}
