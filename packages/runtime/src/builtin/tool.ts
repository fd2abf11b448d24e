import {
  type Connector,
  type ConnectorFailure,
  declarationText,
  type FindOperation,
  type Json,
  type JsonObject,
  type Operation,
  type OperationsAccepted,
  type Workflow,
} from '@tidegate/kernel'
import type { Control } from '../control.ts'
import type { ChangeHistory } from '../desk/change-history.ts'
import { createOneCallPlanner, objectShape, ownOperation, ownWorkflow, textField } from './declare.ts'
import { TOOL_ACCEPT, TOOL_READ, TOOL_WORKFLOW } from './layer.ts'
import type { BuiltinPart } from './part.ts'
import type { PolicyGround } from './policy.ts'

/** What accepting operations works on. */
export interface ToolGround extends Pick<PolicyGround, 'authorOf'> {
  readonly control: Control
  readonly history: ChangeHistory
  readonly find: FindOperation
}

const OPERATION = textField(200)
const VERSION = textField(200)
/** The version of an operation that nobody has accepted. */
export const NOT_ACCEPTED = ''

const ACCEPT: Operation = ownOperation(TOOL_ACCEPT, {
  title: 'Accept an operation as it is declared now',
  description: 'Lets an operation be used again that has changed since somebody last looked at it.',
  input: objectShape({ operation: OPERATION, version: VERSION, why: textField(1_000) }),
  output: objectShape({ operation: OPERATION, version: VERSION, previous: VERSION }),
  records: ['/operation'],
  canPreview: true,
  canReconcile: true,
  canVerify: true,
  maxAttempts: 3,
  compensation: ({ output }) => {
    const { operation = null, previous = null } = output as JsonObject // accepted by the output shape above
    return { operation: TOOL_ACCEPT, arguments: { operation, version: previous, why: 'taken back' } }
  },
  schemaVersion: 'tidegate.tool.accept/1',
})

const READ: Operation = ownOperation(TOOL_READ, {
  title: 'Look at what is accepted',
  description: 'Tells in which version an operation may be used.',
  mutability: 'read',
  risk: 'low',
  blastRadius: 'single',
  reversibility: 'irreversible',
  input: objectShape({ operation: OPERATION }),
  output: objectShape({ operation: OPERATION, version: VERSION }),
  records: ['/operation'],
  maxAttempts: 3,
  schemaVersion: 'tidegate.tool.read/1',
})

/** The operations that accept changed tools; what they do needs a {@link ToolGround}. */
export const TOOL_OPERATIONS: readonly Operation[] = [ACCEPT, READ]

/** The workflow that accepts changed tools. */
export function toolWorkflow(environment: string): Workflow {
  return ownWorkflow(
    {
      name: TOOL_WORKFLOW,
      title: 'Accept a changed operation',
      operations: new Map([ACCEPT, READ].map(({ id }) => [id, { confine: {} }])),
      success: { operation: TOOL_READ, arguments: { operation: '$input/operation' }, expect: {} },
    },
    environment,
  )
}

/** What is declared about accepting changed tools. */
export function toolPart(ground: ToolGround, { environment }: { readonly environment: string }): BuiltinPart {
  const planner = createOneCallPlanner(TOOL_ACCEPT, { goal: 'Accept a changed operation' })
  return {
    operations: TOOL_OPERATIONS,
    connector: createToolConnector(ground),
    workflows: [{ workflow: toolWorkflow(environment), planner, internal: true }],
  }
}

interface Acceptance {
  readonly operation: string
  readonly version: string
  readonly why: string
}

function createToolConnector({ control, history, find, authorOf }: ToolGround): Connector {
  const accepted = (operation: string): string => {
    const known = control.state.accepted
    return (Object.hasOwn(known, operation) ? known[operation] : undefined) ?? NOT_ACCEPTED
  }
  const declarationOf = (operation: string, version: string): Json => {
    const declared = find(operation)
    const text = declared?.schemaVersion === version ? declarationText(declared) : history.declaration(operation, version)
    return text === undefined ? null : (JSON.parse(text) as Json) // a text that we wrote ourselves
  }
  return {
    async preview(call) {
      const { operation, version, why } = call.arguments as unknown as Acceptance // accepted by the input shape above
      if (find(operation) === undefined) return undeclared(operation)
      const before = declarationOf(operation, accepted(operation))
      return { kind: 'done', output: { before, after: declarationOf(operation, version), why }, complete: true }
    },
    async execute(call) {
      const { operation, version, why } = call.arguments as unknown as Acceptance // accepted by the input shape above
      if (call.operation === TOOL_READ)
        return { kind: 'done', output: { operation, version: accepted(operation) }, complete: true }
      if (find(operation) === undefined) return undeclared(operation)
      const previous = accepted(operation)
      const author = { ...(await authorOf(call.effectId)), effect: call.effectId, why }
      const event: OperationsAccepted = {
        type: 'operations.accepted',
        cause: 'change',
        operations: { [operation]: version },
        ...author,
      }
      await control.append([event], { raisesEpoch: true })
      return { kind: 'done', output: { operation, version, previous }, complete: true }
    },
    async reconcile(call) {
      const event = history.acceptedBy(call.effectId)
      if (event === undefined) return { kind: 'absent' }
      const [[operation, version] = ['', '']] = Object.entries(event.operations)
      return { kind: 'happened', output: { operation, version, previous: history.acceptedBefore(call.effectId) } }
    },
    async verify(_, output) {
      const { operation, version } = output as unknown as Acceptance // accepted by the output shape above
      const holds = accepted(operation) === version
      return { holds, detail: holds ? 'it is accepted in this version' : 'another version of it is accepted' }
    },
  }
}

function undeclared(operation: string): ConnectorFailure {
  const message = `No tool declares the operation ${operation.slice(0, 80)} now.`
  return { kind: 'failed', failure: 'semantic', retry: 'never', code: 'operation_undeclared', message }
}
