import type { Json, JsonObject } from '../canonical/json.ts'
import { isObject } from '../canonical/pointer.ts'
import type { Egress, FieldOrigin, FlowDeclaration, FlowInput, FlowOutput, ValueType } from './flow.ts'
import type { Origin } from './origin.ts'
import { type PatternNode, patternTree } from './pattern.ts'

/** A declaration made ready for use: see {@link compileFlow}. */
export interface Flow {
  readonly inputs: PatternNode<FlowInput>
  readonly outputs: PatternNode<FlowOutput>
  readonly egress: Egress
  readonly egressVia: readonly string[]
  readonly declared: boolean
  readonly mutates: boolean
}

/** What is known about an operation besides its declaration. */
export interface FlowSubject {
  readonly declaration?: FlowDeclaration
  readonly mutability: 'read' | 'write' | 'destructive'
  /** JSON Schema of the arguments and of the output, where there is one. */
  readonly input?: JsonObject
  readonly output?: JsonObject
  /** Who wrote which part of the output, for an operation that declares only that. */
  readonly origins?: Readonly<Record<string, Origin>>
}

/**
 * Makes a declaration ready for use, once per operation. What is not declared is filled in by the stricter reading: a part of an output is
 * third-party text unless its schema says that it is too small to carry any, an argument of a write selects a target, and a write that
 * nobody described may be seen by anybody.
 */
export function compileFlow({ declaration, mutability, input, output, origins = {} }: FlowSubject): Flow {
  const mutates = mutability !== 'read'
  const inputs = { ...inferInputs(input ?? {}, mutates), ...declaration?.inputs }
  const outputs = { ...inferOutputs(output ?? {}, origins), ...declaration?.outputs }
  return {
    inputs: patternTree(inputs),
    outputs: patternTree(outputs),
    egress: declaration?.egress ?? (mutates ? 'external' : 'none'),
    egressVia: declaration?.egressVia ?? [],
    declared: declaration !== undefined,
    mutates,
  }
}

const MAX_SCHEMA_DEPTH = 8

/** The types of the leaves that a JSON Schema describes, by pointer. Only what the schema says for certain. */
function typesOf(schema: JsonObject): ReadonlyMap<string, { type: ValueType; fallback: Json | undefined }> {
  const found = new Map<string, { type: ValueType; fallback: Json | undefined }>()
  const visit = (node: Json | undefined, pointer: string, depth: number): void => {
    if (!isObject(node) || depth > MAX_SCHEMA_DEPTH) return
    const here = resolved(node, schema)
    const type = leafType(here)
    if (type !== undefined) found.set(pointer, { type, fallback: node.default ?? here.default })
    if (isObject(here.properties)) {
      for (const [key, child] of Object.entries(here.properties))
        visit(child, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, depth + 1)
    }
    if (isObject(here.items)) visit(here.items, `${pointer}/*`, depth + 1)
    if (isObject(here.additionalProperties)) visit(here.additionalProperties, `${pointer}/*`, depth + 1)
  }
  visit(schema, '', 0)
  return found
}

/** Follows a reference into `$defs`, and looks through "this or null". */
function resolved(node: JsonObject, root: JsonObject): JsonObject {
  if (typeof node.$ref === 'string') {
    const name = /^#\/(?:\$defs|definitions)\/([^/]+)$/.exec(node.$ref)?.[1]
    const defs = isObject(root.$defs) ? root.$defs : isObject(root.definitions) ? root.definitions : {}
    const target = name === undefined ? undefined : defs[name]
    return isObject(target) ? target : node
  }
  const options = Array.isArray(node.anyOf) ? (node.anyOf as readonly Json[]) : []
  const real = options.filter((option) => !isObject(option) || option.type !== 'null')
  const [only] = real
  return real.length === 1 && isObject(only) ? resolved(only, root) : node
}

const FORMATS: Readonly<Record<string, ValueType>> = {
  date: 'date',
  'date-time': 'date',
  email: 'recipient',
  uri: 'url',
  url: 'url',
  uuid: 'identifier',
}

function leafType(schema: JsonObject): ValueType | undefined {
  if (Array.isArray(schema.enum) || schema.const !== undefined) return 'enum'
  if (schema.type === 'boolean') return 'flag'
  if (schema.type === 'integer' || schema.type === 'number') return 'number'
  if (schema.type !== 'string') return undefined
  return (typeof schema.format === 'string' ? FORMATS[schema.format] : undefined) ?? 'text'
}

/** An undeclared text or whole number of a write might select its target, so that it is one. */
function inferInputs(schema: JsonObject, mutates: boolean): Readonly<Record<string, FlowInput>> {
  return Object.fromEntries(
    [...typesOf(schema)].map(([pointer, { type, fallback }]) => {
      const input = inferInput(type, mutates)
      return [pointer, fallback === undefined ? input : { ...input, default: fallback }]
    }),
  )
}

function inferInput(type: ValueType, mutates: boolean): FlowInput {
  if (type === 'flag' || type === 'enum' || type === 'date') return { role: 'value', type }
  if (!mutates) return { role: type === 'text' ? 'text' : 'value', type }
  return { role: 'sink', type: type === 'text' || type === 'number' ? 'identifier' : type }
}

/** The declaration that an argument without one has, by the kind of its value alone. */
export function undeclaredInput(value: Json, mutates: boolean): FlowInput {
  if (typeof value === 'boolean') return { role: 'value', type: 'flag' }
  return inferInput('text', mutates)
}

const FIELD_ORIGIN: Readonly<Record<Origin, FieldOrigin>> = {
  workflow: 'system',
  system: 'system',
  user: 'user',
  model: 'third-party',
  'third-party': 'third-party',
}

function inferOutputs(schema: JsonObject, origins: Readonly<Record<string, Origin>>): Readonly<Record<string, FlowOutput>> {
  const types = typesOf(schema)
  const pointers = new Set([...types.keys(), ...Object.keys(origins)])
  return Object.fromEntries(
    [...pointers].map((pointer) => {
      const origin = FIELD_ORIGIN[nearestOrigin(origins, pointer)]
      const type = types.get(pointer)?.type ?? 'text'
      return [pointer, { origin, type, readers: ['public'] }]
    }),
  )
}

/** The origin that is declared for a pointer pattern or the nearest one above it. */
function nearestOrigin(origins: Readonly<Record<string, Origin>>, pointer: string): Origin {
  for (let at = pointer; ; at = at.slice(0, at.lastIndexOf('/'))) {
    const origin = origins[at]
    if (origin !== undefined) return origin
    if (at === '') return 'third-party'
  }
}
