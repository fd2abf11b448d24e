import { type FieldOrigin, type FlowDeclaration, isClosedType, type JsonObject, type Origin, segmentsOf } from '@tidegate/kernel'
import type { OperationDeclaration } from './declaration.ts'
import { leafPointers, nearest } from './flow-places.ts'
import { placeAt } from './schema-pointer.ts'

/** Says what is wrong with a field of an operation. */
export type RefuseFlow = (code: 'tool_flow', field: string, message: string) => void

interface FlowSchemas {
  readonly input: JsonObject
  readonly output: JsonObject
}

/**
 * Checks what an operation declares about how data flows through it: each pointer leads somewhere, each word means something where it stands,
 * the arguments that name records are targets, and `origins` does not say anything else about who wrote what.
 */
export function checkFlow(operation: OperationDeclaration, schemas: FlowSchemas, refuse: RefuseFlow): void {
  const { flow } = operation
  if (flow === undefined) return
  const wrong = (place: string, message: string) => refuse('tool_flow', `flow.${place}`, message)
  checkInputs(operation, flow, schemas.input, wrong)
  checkOutputs(flow, schemas.output, wrong)
  if (operation.origins !== undefined) checkAgreement(operation.origins, flow, schemas.output, wrong)
}

type Wrong = (place: string, message: string) => void

function checkInputs(
  { mutability, records = [] }: OperationDeclaration,
  flow: FlowDeclaration,
  schema: JsonObject,
  wrong: Wrong,
) {
  for (const [pointer, { role, type, words }] of Object.entries(flow.inputs)) {
    const place = `inputs.${pointer}`
    if (placeAt(schema, pointer) === undefined)
      wrong(place, 'leads to no argument. Use a pointer into the input, with "*" for each member of a list.')
    if (role === 'text' && type !== 'text')
      wrong(place, `has the role "text", but the type "${type}". A typed value is a "value".`)
    if (role === 'sink' && (type === 'flag' || type === 'text'))
      wrong(place, `has the role "sink", but a ${type} selects no target. Use "identifier", "recipient", "url" or "path".`)
    if (words !== undefined && type !== 'enum') wrong(place, 'has "words", which say what the values of an "enum" are called.')
  }
  for (const pointer of flow.egressVia ?? []) {
    if (placeAt(schema, pointer) === undefined)
      wrong('egressVia', `"${pointer}" leads to no argument. Use a pointer into the input.`)
  }
  if (flow.egress === 'none' && flow.egressVia !== undefined)
    wrong('egressVia', 'names a way to others, but egress is "none". Say who learns of the call, or remove it.')
  if (mutability === 'read') return
  for (const pointer of records) {
    const declared = flow.inputs[pointer] ?? flow.inputs[`${pointer}/*`]
    if (declared !== undefined && declared.role !== 'sink')
      wrong(
        `inputs.${pointer}`,
        `names a record that the call changes (see records). Its role is "sink", not "${declared.role}".`,
      )
  }
}

function checkOutputs({ outputs }: FlowDeclaration, schema: JsonObject, wrong: Wrong): void {
  for (const [pointer, { type, list, keys, today }] of Object.entries(outputs)) {
    const place = `outputs.${pointer}`
    const found = placeAt(schema, pointer)
    if (found === undefined)
      wrong(place, 'leads to no part of the output. Use a pointer into it, with "*" for each member of a list.')
    else if (type === 'flag' && !isMadeOf(found.kinds, ['other']))
      wrong(place, 'has the type "flag", but is no boolean. What is not true or false can say more than that.')
    if (list !== undefined && isClosedType(type))
      wrong(place, 'is a list of lines, which hold names or texts: give it the type of a line.')
    if (today === true && type !== 'date') wrong(place, 'is said to be the current date, but its type is not "date".')
    if (keys !== undefined && segmentsOf(pointer).at(-1) !== '*')
      wrong(place, 'has "keys", which speak of the keys of an object: end the pointer with "*".')
  }
}

function isMadeOf(kinds: ReadonlySet<string>, allowed: readonly string[]): boolean {
  return [...kinds].every((kind) => allowed.includes(kind))
}

/** What each origin may be called where the flow is declared. An echo of the arguments is nobody's word until it is known who gave them. */
const AGREES: Readonly<Record<Origin, readonly FieldOrigin[]>> = {
  workflow: ['system'],
  system: ['system', 'arguments'],
  user: ['user', 'arguments'],
  model: ['third-party', 'arguments'],
  'third-party': ['third-party', 'member', 'arguments'],
}

function checkAgreement(
  origins: Readonly<Record<string, Origin>>,
  flow: FlowDeclaration,
  schema: JsonObject,
  wrong: Wrong,
): void {
  for (const pointer of new Set([...leafPointers(schema), ...Object.keys(flow.outputs), ...Object.keys(origins)])) {
    const declared = nearest(flow.outputs, pointer)
    if (declared === undefined) continue // then `origins` is all there is
    const origin = nearest(origins, pointer) ?? 'third-party'
    if (AGREES[origin].includes(declared.origin)) continue
    const more = nearest(origins, pointer) === undefined ? ', as what origins does not list does' : ''
    wrong(
      `outputs.${pointer}`,
      `comes from "${declared.origin}", but origins says "${origin}"${more}. Say the same in both, or leave origins out.`,
    )
  }
}

/** Who wrote each part, as a flow declaration says it: for an operation that says it there alone. */
export function originsOf({ outputs }: FlowDeclaration): Readonly<Record<string, Origin>> {
  return Object.fromEntries(Object.entries(outputs).map(([pointer, { origin }]) => [pointer, ORIGIN[origin]]))
}

const ORIGIN: Readonly<Record<FieldOrigin, Origin>> = {
  system: 'system',
  user: 'user',
  member: 'third-party',
  'third-party': 'third-party',
  arguments: 'model',
}
