import type { DescribedPolicy } from '../policy/diff.ts'
import type { Explain } from '../policy/explanation.ts'
import type { PolicyEngine } from './policy-engine.ts'

/** A file of policies as text. */
export interface PolicyText {
  /** What people call it: a path relative to the project. */
  readonly file: string
  readonly text: string
}

/** One policy of a set: what it means, and as people wrote it. */
export interface PolicyRule extends DescribedPolicy {
  readonly text: string
}

/** Something that is wrong with a text of policies, and where. Lines and columns count from 1. */
export interface PolicyFault {
  readonly code: string
  readonly file: string
  readonly line: number
  readonly column: number
  readonly message: string
}

/** A set of policies that has passed every check, ready to decide. */
export interface PolicySet {
  readonly engine: PolicyEngine
  /** Explains what the engine decides. */
  readonly explain: Explain
  readonly rules: readonly PolicyRule[]
  /** What it was checked against, as a text that {@link PolicyLoader.restore} takes. */
  readonly schema: string
}

export type PolicyLoading =
  | { readonly kind: 'loaded'; readonly set: PolicySet }
  /** Nothing of it may be used: one fault refuses the whole set. */
  | { readonly kind: 'refused'; readonly faults: readonly PolicyFault[]; readonly cause: Error }

/**
 * Makes an engine of texts. The same texts under the same schema give the same version and the same verdicts, today and years later.
 *
 * Never rejects for what a text contains: whoever sends it gets every fault with its place. Texts are limited in size by whoever loads.
 */
export interface PolicyLoader {
  /** Checks texts against what is declared now. */
  load(texts: readonly PolicyText[]): Promise<PolicyLoading>
  /** Makes the set again that was in force once, from its recorded texts and schema. */
  restore(texts: readonly PolicyText[], schema: string): Promise<PolicyLoading>
}
