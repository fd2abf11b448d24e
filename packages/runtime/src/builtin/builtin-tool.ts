import type { Connector, ConnectorCall, PolicyEngine } from '@tidegate/kernel'
import type { Tool, WorkflowWithPlanner } from '../registry.ts'
import { BUILTIN_TOOL, type BuiltinPart } from './part.ts'

/** Puts the parts together to the one tool `tidegate`. */
export function builtinTool(parts: readonly BuiltinPart[]): Tool {
  const owners = ownersOf(parts)
  const connectorOf = ({ operation }: ConnectorCall): Connector => owners.get(operation)?.connector ?? NOBODY
  return {
    name: BUILTIN_TOOL,
    operations: parts.flatMap((part) => part.operations),
    connector: {
      execute: (call) => connectorOf(call).execute(call),
      preview: (call) => connectorOf(call).preview(call),
      reconcile: (call) => connectorOf(call).reconcile(call),
      verify: (call, output) => connectorOf(call).verify(call, output),
    },
  }
}

/** The workflows of all parts. */
export function builtinWorkflows(parts: readonly BuiltinPart[]): readonly WorkflowWithPlanner[] {
  return parts.flatMap((part) => part.workflows)
}

/** An engine that lets each part have the last word on its own operations. The version stays: what the parts say is code. */
export function withBuiltinPolicy(engine: PolicyEngine, parts: readonly BuiltinPart[]): PolicyEngine {
  const owners = ownersOf(parts)
  return {
    get version() {
      return engine.version
    },
    get meters() {
      return engine.meters ?? []
    },
    evaluate(request) {
      const verdict = engine.evaluate(request)
      const judge = owners.get(request.operation)?.judge
      return judge === undefined || verdict.kind === 'broken' ? verdict : judge(request, verdict)
    },
  }
}

function ownersOf(parts: readonly BuiltinPart[]): ReadonlyMap<string, BuiltinPart> {
  return new Map(parts.flatMap((part) => part.operations.map(({ id }) => [id, part] as const)))
}

const REFUSED = {
  kind: 'failed',
  failure: 'refused',
  retry: 'never',
  message: 'no part of the built-in tool has this operation',
} as const

/** Stands where no part does. */
const NOBODY: Connector = {
  execute: async () => REFUSED,
  preview: async () => REFUSED,
  reconcile: async () => ({ kind: 'unknown', message: REFUSED.message }),
  verify: async () => ({ holds: false, detail: REFUSED.message }),
}
