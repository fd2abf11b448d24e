import { createHash } from 'node:crypto'
import {
  canonicalJson,
  type Json,
  type PolicyLoader,
  type PolicyLoading,
  type PolicyRule,
  type PolicyText,
} from '@tidegate/kernel'
import { createCedarEngine } from './engine.ts'
import { CedarError } from './error.ts'
import { type CheckPolicies, checkPolicies } from './policy-check.ts'
import type { CedarSchema } from './schema.ts'

/** How many sets are kept: a change is looked at several times until it is in force. */
const KEPT = 4

/**
 * Creates the loader of policies: Cedar text against the schema of what is declared now, or against one that was recorded.
 *
 * A recorded schema is text that we wrote and that has the digest under which the ledger knows it; nothing else may be given. What is
 * slow about loading is the check; give one that runs in another thread where nobody may wait for it.
 */
export function createPolicyLoader(schema: CedarSchema, check: CheckPolicies = checkPolicies): PolicyLoader {
  const current = canonicalJson(schema as unknown as Json) // plain data
  const kept = new Map<string, Promise<PolicyLoading>>()
  return {
    load(texts) {
      const key = createHash('sha256').update(JSON.stringify(texts)).digest('hex')
      const known = kept.get(key)
      if (known !== undefined) return known
      const loading = load(texts, { schema, text: current, check })
      const [oldest] = kept.keys()
      if (kept.size >= KEPT && oldest !== undefined) kept.delete(oldest)
      kept.set(key, loading)
      loading.then(
        (made) => isFailed(made) && kept.delete(key), // not the text failed, but its check: the next one may fare better
        () => kept.delete(key), // whoever asked has the rejection
      )
      return loading
    },
    restore: (texts, recorded) => load(texts, { schema: JSON.parse(recorded) as CedarSchema, text: recorded, check }),
  }
}

function isFailed(loading: PolicyLoading): boolean {
  return loading.kind === 'refused' && loading.cause instanceof CedarError && loading.cause.code === 'policy_engine'
}

async function load(
  texts: readonly PolicyText[],
  { schema, text, check }: { readonly schema: CedarSchema; readonly text: string; readonly check: CheckPolicies },
): Promise<PolicyLoading> {
  const checked = await check(texts, schema)
  if (checked.kind === 'faulty') {
    const { code, message, issues } = checked
    return { kind: 'refused', faults: issues, cause: new CedarError(code, message, { issues }) }
  }
  try {
    const { policies, described } = checked
    const engine = createCedarEngine({ policies: texts, schema, loaded: policies })
    const rules = described.map((rule, i): PolicyRule => ({ ...rule, text: policies[i]?.text ?? '' }))
    return { kind: 'loaded', set: { engine, explain: engine.explain, rules, schema: text } }
  } catch (cause) {
    if (!(cause instanceof CedarError)) throw cause
    return { kind: 'refused', faults: cause.issues, cause }
  }
}
