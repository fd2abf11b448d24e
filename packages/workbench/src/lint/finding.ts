import type { LoadedPolicy } from '@tidegate/cedar'

/** How bad a finding is: nothing starts with it; probably a mistake; worth knowing. */
export const SEVERITIES = ['error', 'warning', 'info'] as const
export type Severity = (typeof SEVERITIES)[number]

/** Every rule of the lint, in the words of its findings. Cedar's own codes stand beside them. */
export const LINT_RULES = [
  'unanswerable-ask',
  'unreachable-scope',
  'never-matches',
  'always-matches',
  'shadowed',
  'duplicate',
  'missing-reason',
] as const
export type LintRule = (typeof LINT_RULES)[number]

/** Something wrong or suspicious about one policy. Lines and columns count from 1. */
export interface LintFinding {
  readonly severity: Severity
  /** One of {@link LINT_RULES}, or a code of the policy loader such as `policy_syntax`. */
  readonly rule: string
  readonly file: string
  readonly line: number
  readonly column: number
  /** Empty where the text is not a policy yet. */
  readonly policy: string
  readonly message: string
}

/** A finding about a policy, at its beginning. */
export function about(policy: LoadedPolicy, severity: Severity, rule: LintRule, message: string): LintFinding {
  const { file, line, column, id } = policy
  return { severity, rule, file, line, column, policy: id, message }
}
