import type { JsonObject } from '@tidegate/kernel'
import type { z } from 'zod'
import { checkFlow } from './check-flow.ts'
import type { OperationDeclaration, ToolDeclaration } from './declaration.ts'
import { MAX_OPERATIONS, OPERATION_FIELDS, TOOL_FIELDS } from './declaration-fields.ts'
import type { ToolIssue, ToolsErrorCode } from './error.ts'
import { FLOW_NAMES } from './flow-fields.ts'
import { suggestName } from './near-name.ts'
import { placeAt } from './schema-pointer.ts'

/** What is wrong with the fields of a tool, before anything is made of them. */
export function checkTool(declaration: ToolDeclaration): readonly ToolIssue[] {
  const parsed = TOOL_FIELDS.safeParse(declaration)
  const name = typeof declaration?.name === 'string' ? declaration.name : 'tool'
  if (!parsed.success) return parsed.error.issues.flatMap((issue) => fieldIssues(name, issue))
  const count = Object.keys(parsed.data.operations).length
  if (count >= 1 && count <= MAX_OPERATIONS) return []
  return [
    {
      code: 'tool_declaration',
      where: `${name}.operations`,
      message: `has ${count} operations. Declare 1 to ${MAX_OPERATIONS}.`,
    },
  ]
}

/** What is wrong with each field of an operation by itself. `where` is its full id. */
export function checkFields(where: string, declaration: OperationDeclaration): readonly ToolIssue[] {
  const parsed = OPERATION_FIELDS.safeParse(declaration)
  return parsed.success ? [] : parsed.error.issues.flatMap((issue) => fieldIssues(where, issue))
}

/** The JSON Schemas of an operation. */
export interface Schemas {
  readonly input: JsonObject
  readonly output: JsonObject
}

/** What is wrong with the fields of an operation together. Each of these rules keeps a promise that somebody relies on later. */
export function checkMeaning(
  where: string,
  operation: OperationDeclaration,
  schemas: Schemas,
  tool: ToolDeclaration,
): readonly ToolIssue[] {
  const issues: ToolIssue[] = []
  const refuse = (code: ToolsErrorCode, field: string, message: string) =>
    issues.push({ code, where: `${where}.${field}`, message })
  checkRecords(operation, schemas, refuse)
  checkOrigins(operation, schemas, refuse)
  checkFlow(operation, schemas, refuse)
  if (operation.mutability === 'read') checkRead(operation, refuse)
  else checkWrite(operation, refuse)
  checkCompensation(operation, tool, refuse)
  return issues
}

type Refuse = (code: ToolsErrorCode, field: string, message: string) => void

function checkRecords(operation: OperationDeclaration, { input }: Schemas, refuse: Refuse): void {
  const { blastRadius, records = [], maxRecords, mutability } = operation
  if (records.length === 0 && mutability !== 'read' && (blastRadius === 'single' || blastRadius === 'batch')) {
    refuse(
      'tool_records',
      'records',
      `is empty, but a ${mutability} of blast radius "${blastRadius}" touches records. List the arguments that name them, such as ["/invoiceId"].`,
    )
  }
  if (blastRadius === 'single' && maxRecords !== undefined && maxRecords !== 1) {
    refuse('tool_records', 'maxRecords', 'must be 1 for blast radius "single". Leave it out, or declare "batch".')
  }
  if (blastRadius === 'batch' && maxRecords === undefined) {
    refuse('tool_records', 'maxRecords', 'is missing. Say how many records one call of a "batch" may name.')
  }
  const wanted = blastRadius === 'single' ? 'one string or number' : 'a string, a number, or an array of them'
  for (const pointer of records) {
    const place = placeAt(input, pointer)
    if (place === undefined) refuse('tool_records', 'records', `"${pointer}" leads to no argument. Use a pointer into the input.`)
    else if (!place.required) refuse('tool_records', 'records', `"${pointer}" may be missing. Make the argument required.`)
    else if (!areIdentifiers(place.kinds, place.itemKinds, blastRadius !== 'single')) {
      refuse('tool_records', 'records', `"${pointer}" must be ${wanted} for blast radius "${blastRadius}".`)
    }
  }
}

function areIdentifiers(kinds: ReadonlySet<string>, itemKinds: ReadonlySet<string>, lists: boolean): boolean {
  const isIdentifier = (kind: string) => kind === 'string' || kind === 'number'
  return [...kinds].every(
    (kind) => isIdentifier(kind) || (lists && kind === 'array' && itemKinds.size > 0 && [...itemKinds].every(isIdentifier)),
  )
}

function checkOrigins({ origins = {} }: OperationDeclaration, { output }: Schemas, refuse: Refuse): void {
  for (const pointer of Object.keys(origins)) {
    if (placeAt(output, pointer) !== undefined) continue
    refuse('tool_origins', 'origins', `"${pointer}" leads to no part of the output. What is not listed counts as third-party.`)
  }
}

function checkRead(operation: OperationDeclaration, refuse: Refuse): void {
  const { reversibility, idempotency, acceptsAmbiguity, compensate, reconcile } = operation
  const leftover = {
    idempotency: idempotency === 'key',
    acceptsAmbiguity: acceptsAmbiguity === true,
    compensate: compensate !== undefined,
    reconcile: reconcile !== undefined,
  }
  for (const [field, present] of Object.entries(leftover)) {
    if (present)
      refuse('tool_declaration', field, 'has no meaning for a read, which leaves nothing behind. Remove it, or declare a write.')
  }
  if (reversibility !== undefined && reversibility !== 'reversible') {
    refuse('tool_declaration', 'reversibility', 'must be left out for a read, which leaves nothing behind.')
  }
}

function checkWrite(operation: OperationDeclaration, refuse: Refuse): void {
  const { reversibility, reconcile, idempotency, acceptsAmbiguity, compensate, mutability } = operation
  if (reversibility === undefined) {
    refuse('tool_declaration', 'reversibility', `is missing. A ${mutability} is reversible, compensable or irreversible.`)
  }
  if (reconcile === undefined && idempotency !== 'key' && acceptsAmbiguity !== true) {
    refuse(
      'tool_ambiguity',
      'reconcile',
      'is missing: after a lost answer nobody could tell whether it happened. Write a look-up by call.effectId, declare idempotency "key" if the far side honours one, or own up with acceptsAmbiguity: true.',
    )
  }
  if (compensate === undefined && (reversibility === 'reversible' || reversibility === 'compensable')) {
    refuse(
      'tool_compensation',
      'compensate',
      `is missing, but the operation says it is ${reversibility}. Say which operation takes it back, or declare it irreversible.`,
    )
  }
  if (compensate !== undefined && reversibility === 'irreversible') {
    refuse(
      'tool_compensation',
      'compensate',
      'is there, but the operation says it is irreversible. Declare it compensable, or remove compensate.',
    )
  }
}

function checkCompensation({ compensate }: OperationDeclaration, tool: ToolDeclaration, refuse: Refuse): void {
  if (compensate === undefined) return
  const { operation: name } = compensate
  const target = Object.hasOwn(tool.operations, name) ? tool.operations[name] : undefined
  if (target === undefined) {
    refuse(
      'tool_compensation',
      'compensate',
      `names "${name}", which is no operation of ${tool.name}. Use one of: ${Object.keys(tool.operations).join(', ')}.`,
    )
  } else if (target.mutability === 'read') {
    refuse('tool_compensation', 'compensate', `names "${name}", which only reads. Name the operation that takes the effect back.`)
  } else if (target.verify === undefined) {
    refuse(
      'tool_compensation',
      'compensate',
      `names "${name}", which declares no verify: an undo is believed only when it can be seen. Add verify to ${tool.name}.${name}.`,
    )
  }
}

function fieldIssues(where: string, issue: z.core.$ZodIssue): readonly ToolIssue[] {
  const at = [where, ...issue.path.map(String)].join('.')
  const code = CODES[String(issue.path[0])] ?? 'tool_declaration'
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      code,
      where: `${at}.${key}`,
      message: `is not a field of a declaration.${suggestName(key, namesAt(where, issue.path)) || ' Check its spelling.'}`,
    }))
  }
  const key = issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined
  return [{ code, where: at, message: `${key ?? issue.message}.` }]
}

const CODES: Readonly<Record<string, ToolsErrorCode>> = { input: 'tool_schema', output: 'tool_schema', flow: 'tool_flow' }

/** The fields that may stand at a place of a declaration. */
function namesAt(where: string, path: readonly PropertyKey[]): readonly string[] {
  if (path.length === 0) return Object.keys(where.includes('.') ? OPERATION_FIELDS.shape : TOOL_FIELDS.shape)
  if (path[0] !== 'flow') return []
  return path.length === 1 ? FLOW_NAMES.flow : path[1] === 'inputs' ? FLOW_NAMES.inputs : FLOW_NAMES.outputs
}
