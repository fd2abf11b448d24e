/** Every code that {@link CedarError} carries. A code is API: added, never renamed; docs/errors.md explains each. */
export const CEDAR_ERROR_CODES = [
  'conformance_suite',
  'entities_invalid',
  'policy_annotation',
  'policy_approval',
  'policy_duplicate_id',
  'policy_engine',
  'policy_id',
  'policy_limit',
  'policy_link',
  'policy_schema',
  'policy_suspect',
  'policy_syntax',
  'policy_vocabulary',
  'request_invalid',
  'schema_invalid',
] as const

export type CedarErrorCode = (typeof CEDAR_ERROR_CODES)[number]

/** One thing that is wrong with a policy, and where. Lines and columns count from 1; a column is a UTF-16 code unit. */
export interface PolicyIssue {
  readonly code: CedarErrorCode
  readonly file: string
  readonly line: number
  readonly column: number
  readonly message: string
}

/** How many issues a message spells out; the rest is only counted. */
const SHOWN = 20

/**
 * Thrown when policies or their schema cannot be loaded. Nothing starts with policies that are only partly understood: one bad
 * policy refuses the whole set.
 *
 * `code` is that of the first issue. The message lists the issues as `file:line:column: message`.
 */
export class CedarError extends Error {
  readonly code: CedarErrorCode
  readonly issues: readonly PolicyIssue[]

  constructor(code: CedarErrorCode, message: string, options?: { cause?: unknown; issues?: readonly PolicyIssue[] }) {
    super(message, options)
    this.name = 'CedarError'
    this.code = code
    this.issues = options?.issues ?? []
  }
}

/** Turns a list of issues into one error, in the order of files and positions. */
export function errorOfIssues(issues: readonly [PolicyIssue, ...PolicyIssue[]]): CedarError {
  const shown = issues.slice(0, SHOWN).map((issue) => `${issue.file}:${issue.line}:${issue.column}: ${issue.message}`)
  const rest = issues.length > SHOWN ? [`and ${issues.length - SHOWN} more`] : []
  return new CedarError(issues[0].code, [...shown, ...rest].join('\n'), { issues })
}
