import type { DescribedPolicy, PolicyText } from '@tidegate/kernel'
import { describePolicies } from './describe.ts'
import { CedarError, type CedarErrorCode, type PolicyIssue } from './error.ts'
import { type LoadedPolicy, loadPolicies } from './load.ts'
import type { CedarSchema } from './schema.ts'

/** What Cedar found out about a set of texts. Plain data, so that it can be found out in another thread. */
export type PolicyCheck =
  | { readonly kind: 'sound'; readonly policies: readonly LoadedPolicy[]; readonly described: readonly DescribedPolicy[] }
  | {
      readonly kind: 'faulty'
      readonly code: CedarErrorCode
      readonly message: string
      readonly issues: readonly PolicyIssue[]
    }

/** Checks texts against a schema, here or elsewhere. Never rejects for what a text contains. */
export type CheckPolicies = (texts: readonly PolicyText[], schema: CedarSchema) => PolicyCheck | Promise<PolicyCheck>

/** Checks texts in this thread: some milliseconds for each policy, during which nothing else happens here. */
export function checkPolicies(texts: readonly PolicyText[], schema: CedarSchema): PolicyCheck {
  try {
    const policies = loadPolicies(texts, schema)
    return { kind: 'sound', policies, described: describePolicies(policies) }
  } catch (error) {
    if (!(error instanceof CedarError)) throw error
    return { kind: 'faulty', code: error.code, message: error.message, issues: error.issues }
  }
}
