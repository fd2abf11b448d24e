/** Every code that {@link ToolsError} carries. A code is API: added, never renamed; docs/errors.md explains each. */
export const TOOLS_ERROR_CODES = [
  'tool_not_exported',
  'tool_declaration',
  'tool_schema',
  'tool_records',
  'tool_origins',
  'tool_flow',
  'tool_ambiguity',
  'tool_compensation',
  'tool_settings',
  'tool_secret_undeclared',
] as const

export type ToolsErrorCode = (typeof TOOLS_ERROR_CODES)[number]

/** One thing that is wrong with a declaration: where (`tool.operation.field`), what, and how to cure it. */
export interface ToolIssue {
  readonly code: ToolsErrorCode
  readonly where: string
  readonly message: string
}

/** Thrown while a tool is defined or loaded, by a declaration that must not be used. Calls never throw it: they answer. */
export class ToolsError extends Error {
  readonly code: ToolsErrorCode
  /** Everything that is wrong, so that it can be cured in one go; the first gives the error its code. */
  readonly issues: readonly ToolIssue[]

  constructor(issues: readonly [ToolIssue, ...ToolIssue[]], options?: { cause?: unknown }) {
    super(issues.map(({ where, message }) => `${where}: ${message}`).join('\n'), options)
    this.name = 'ToolsError'
    this.code = issues[0].code
    this.issues = issues
  }
}
