import { isObject, type Json, type JsonObject, type Operation } from '@tidegate/kernel'
import { defineTool, operation, z } from '@tidegate/tools'
import { declare } from './declare.ts'
import { OPERATIONS } from './operations.ts'

/** Which operation a call of a host is, and its arguments as that operation takes them. Never throws. */
export interface HostBinding {
  readonly kind: 'openclaw'
  operationOf(
    tool: string,
    args: Json,
    context: { readonly cwd?: string },
  ): { readonly operation: string; readonly arguments: Json }
}

/** The tools that OpenClaw brings itself. */
export interface OpenClawTools {
  readonly binding: HostBinding
  readonly operations: readonly Operation[]
}

/** Declares the own tools of OpenClaw 2026.5.7 and 2026.9.6. */
export function hostTools(): OpenClawTools {
  const { execute: _, ...other } = declare({
    title: 'Call a tool that nobody has classified',
    description: 'Calls a tool of OpenClaw, of a plugin or of an MCP server that Tidegate does not know.',
    mutability: 'destructive',
    dataClass: 'secret',
    blastRadius: 'admin',
    risk: 'critical',
    reversibility: 'irreversible',
    origin: 'third-party',
    egress: 'external',
  })
  void other
  const tool = defineTool({ name: 'openclaw', title: 'OpenClaw', operations: { ...OPERATIONS, other: OTHER } })
  return { binding: { kind: 'openclaw', operationOf }, operations: tool.operations }
}
