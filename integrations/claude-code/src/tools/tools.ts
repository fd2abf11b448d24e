import type { Json, Operation } from '@tidegate/kernel'
import { defineTool } from '@tidegate/tools'
import { openInput } from './declare.ts'
import { OPERATIONS } from './operations.ts'
import { choose } from './tool-names.ts'

/** Which operation a call of Claude Code is, and its arguments as that operation takes them. */
export interface ClaudeCodeBinding {
  readonly kind: 'claude-code'
  /** Never throws; a call that is none of those that are known is `claude-code.other`. */
  operationOf(
    tool: string,
    args: Json,
    context: { readonly cwd?: string },
  ): { readonly operation: string; readonly arguments: Json }
}

/** The tools that Claude Code brings itself: what they are called there, and what they are. */
export interface ClaudeCodeTools {
  readonly binding: ClaudeCodeBinding
  readonly operations: readonly Operation[]
}

/**
 * Declares the own tools of Claude Code.
 *
 * The arguments of an operation are those of the tool, so that what was decided on can be handed back as it is. Only `mcp` and `other`
 * wrap them, together with the name of the tool; the hook takes them out again.
 */
export function hostTools(): ClaudeCodeTools {
  const { operations: declared } = defineTool({ name: 'claude-code', title: 'Claude Code', operations: OPERATIONS })
  const operations = declared.map(openInput)
  const byId = new Map(operations.map((operation) => [operation.id, operation]))
  return {
    binding: {
      kind: 'claude-code',
      operationOf(tool, args, { cwd }) {
        const known = choose(tool, args, cwd)
        const operation = `claude-code.${known?.verb}`
        const accepted = known !== undefined && byId.get(operation)?.input.parse(known.arguments).ok === true
        return accepted
          ? { operation, arguments: known.arguments }
          : { operation: 'claude-code.other', arguments: { tool, arguments: args } }
      },
    },
    operations,
  }
}
