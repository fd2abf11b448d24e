import { createHash } from 'node:crypto'
import {
  canonicalJson,
  type Compensation,
  type FlowDeclaration,
  type Json,
  type JsonObject,
  type Nature,
  NATURES,
  type Operation,
} from '@tidegate/kernel'
import { checkFields, checkMeaning, checkTool } from './check-declaration.ts'
import { originsOf } from './check-flow.ts'
import { type BoundOperation, createConnector } from './connector.ts'
import type { OperationDeclaration, ToolDeclaration } from './declaration.ts'
import { MAX_RECORDS } from './declaration-fields.ts'
import { type ToolIssue, ToolsError } from './error.ts'
import { expandFlow } from './flow-places.ts'
import { createShape, INPUT_LIMITS, OUTPUT_LIMITS } from './shape.ts'
import { markTool, type Tool } from './tool.ts'

/**
 * Makes a tool of a declaration, or refuses it with everything that is wrong.
 *
 * Nothing of the declaration is called here. The operations carry a schema version, the hex SHA-256 of everything declared but the
 * functions: an approval given for one declaration does not hold for another (I2).
 *
 * @throws ToolsError with one issue per fault, each naming tool.operation.field and the cure.
 */
export function defineTool(declaration: ToolDeclaration): Tool {
  refuseIf(checkTool(declaration))
  const { name, title } = declaration
  const issues: ToolIssue[] = []
  const bound: BoundOperation[] = []
  for (const [key, operation] of Object.entries(declaration.operations)) {
    const id = `${name}.${key}`
    const faults = checkFields(id, operation)
    issues.push(...faults)
    if (faults.length === 0) {
      const made = bind(id, operation, declaration)
      if (Array.isArray(made)) issues.push(...made)
      else bound.push(made)
    }
  }
  refuseIf(issues)
  return markTool({ name, title, operations: bound.map(({ operation }) => operation), connector: createConnector(bound) })
}

function refuseIf([first, ...rest]: readonly ToolIssue[]): void {
  if (first !== undefined) throw new ToolsError([first, ...rest])
}

function bind(id: string, declared: OperationDeclaration, tool: ToolDeclaration): BoundOperation | ToolIssue[] {
  const input = createShape(declared.input, INPUT_LIMITS)
  const output = createShape(declared.output, OUTPUT_LIMITS)
  if (!input.ok || !output.ok) {
    return [['input', input] as const, ['output', output] as const].flatMap(([field, attempt]) =>
      attempt.ok
        ? []
        : attempt.reasons.map((message): ToolIssue => ({ code: 'tool_schema', where: `${id}.${field}`, message: `${message}.` })),
    )
  }
  const schemas = { input: input.shape.jsonSchema, output: output.shape.jsonSchema }
  const issues = checkMeaning(id, declared, schemas, tool)
  if (issues.length > 0) return [...issues]
  const classes = classesOf(id, declared, tool)
  const flow = declared.flow === undefined ? {} : { flow: plainFlow(expandFlow(declared.flow, schemas)) }
  const operation: Operation = {
    ...classes,
    ...flow,
    input: input.shape,
    output: output.shape,
    ...(declared.compensate === undefined ? {} : { compensation: compensationOf(tool.name, declared.compensate) }),
    schemaVersion: versionOf({ ...classes, ...flow, ...schemas, compensation: declared.compensate?.operation ?? null }),
  }
  return { operation: Object.freeze(operation), functions: declared }
}

/** Everything an operation declares that is plain data, with the defaults filled in. */
function classesOf(id: string, declared: OperationDeclaration, tool: ToolDeclaration) {
  const isRead = declared.mutability === 'read'
  return {
    id,
    tool: tool.name,
    title: declared.title,
    description: declared.description,
    mutability: declared.mutability,
    dataClass: declared.dataClass,
    blastRadius: declared.blastRadius,
    risk: declared.risk,
    nature: natureOf(declared),
    reversibility: declared.reversibility ?? ('reversible' as const),
    records: [...(declared.records ?? [])],
    maxRecords: declared.maxRecords ?? (declared.blastRadius === 'single' ? 1 : MAX_RECORDS),
    origins: declared.origins === undefined && declared.flow !== undefined ? originsOf(declared.flow) : { ...declared.origins },
    idempotency: declared.idempotency ?? ('none' as const),
    timeoutMs: declared.timeoutMs ?? 10_000,
    maxAttempts: declared.maxAttempts ?? (isRead ? 3 : 1),
    settleMs: declared.settleMs ?? (isRead ? 0 : 2000),
    secrets: [...(declared.secrets ?? [])],
    canPreview: declared.preview !== undefined,
    canReconcile: declared.reconcile !== undefined,
    canVerify: declared.verify !== undefined,
  }
}

/** In the order of the kernel's list, so that two declarations that say the same have the same version. */
function natureOf({ nature, mutability }: OperationDeclaration): readonly Nature[] {
  const said: readonly Nature[] = nature ?? (mutability === 'write' ? ['unclassified'] : [])
  return NATURES.filter((each) => said.includes(each) || (each === 'deletion' && mutability === 'destructive'))
}

/** A copy that is nothing but JSON, so that it can stand in the version and nobody can change it afterwards. */
function plainFlow(flow: FlowDeclaration): FlowDeclaration & JsonObject {
  return JSON.parse(JSON.stringify(flow)) as FlowDeclaration & JsonObject // sound: the fields were checked to be plain data
}

/** Arguments that nobody can tell are `null`, which no operation accepts: the undo is refused and goes to a person. */
function compensationOf(tool: string, declared: NonNullable<OperationDeclaration['compensate']>): Compensation {
  const operation = `${tool}.${declared.operation}`
  return (done) => {
    try {
      // Sound: both were accepted by the shapes of this operation, which are objects.
      const args = declared.arguments(done as { arguments: JsonObject; output: JsonObject })
      return args === 'nothing' ? null : { operation, arguments: args === 'unknown' ? null : args }
    } catch {
      return { operation, arguments: null }
    }
  }
}

function versionOf(declaration: { readonly [key: string]: Json }): string {
  return createHash('sha256').update(canonicalJson(declaration)).digest('hex')
}
