import { hostTools as claudeCodeTools } from '@tidegate/claude-code/tools'
import { hostTools as openClawTools } from '@tidegate/openclaw/tools'
import type { HostKind, HostTools } from '@tidegate/runtime'
import { withCommandKinds } from './command-kinds.ts'

/** The tools that a kind of host brings itself; an MCP client has none but ours. */
export function hostToolsOf(kind: HostKind): HostTools | undefined {
  if (kind === 'mcp') return undefined
  const { operations, binding } = kind === 'openclaw' ? openClawTools() : claudeCodeTools()
  const operationOf: HostTools['operationOf'] = (tool, args, context) => binding.operationOf(tool, args, context)
  return withCommandKinds({ operations, operationOf }, kind === 'openclaw' ? 'openclaw.exec' : 'claude-code.bash')
}
