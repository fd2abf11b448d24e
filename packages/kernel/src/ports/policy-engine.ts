import type { PolicyRequest, PolicyVerdict } from '../policy/decision.ts'
import type { Explain } from '../policy/explanation.ts'

/**
 * Evaluates one loaded set of policies. Synchronous and deterministic: the same request gives the same verdict as long as
 * `version` is the same, so that a decision in the ledger can be recomputed later.
 *
 * Never throws: whatever goes wrong is the verdict `broken`, which the kernel turns into a denial (I6).
 */
export interface PolicyEngine {
  /** Hex SHA-256 over the text of policies and schema. */
  readonly version: string
  evaluate(request: PolicyRequest): PolicyVerdict
  /** Names that `context.meters` must have; none when left out. */
  readonly meters?: readonly string[]
  /** Left out by engines that cannot say more than their verdict. */
  readonly explain?: Explain
}
