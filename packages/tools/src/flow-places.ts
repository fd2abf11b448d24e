import { type FlowDeclaration, isObject, type Json, type JsonObject, segmentsOf } from '@tidegate/kernel'

/**
 * Writes out what a declaration says about each leaf of the arguments and of the output. What an author says about an object holds for its
 * members too; spelled out, nothing that is read off a schema can hide it.
 */
export function expandFlow(
  flow: FlowDeclaration,
  schemas: { readonly input: JsonObject; readonly output: JsonObject },
): FlowDeclaration {
  const outputs = expand(flow.outputs, schemas.output, ({ keys: _keys, ...output }) => output)
  return { ...flow, inputs: expand(flow.inputs, schemas.input, (input) => input), outputs }
}

function expand<Value>(
  table: Readonly<Record<string, Value>>,
  schema: JsonObject,
  below: (value: Value) => Value,
): Readonly<Record<string, Value>> {
  const leaves = leafPointers(schema).flatMap((pointer): readonly (readonly [string, Value])[] => {
    const value = Object.hasOwn(table, pointer) ? undefined : nearest(table, pointer)
    return value === undefined ? [] : [[pointer, below(value)]]
  })
  return { ...Object.fromEntries(leaves), ...table }
}

/** The entry for a pointer, or for the nearest place above it. A segment that is spelled out hides `*` beside it. */
export function nearest<Value>(table: Readonly<Record<string, Value>>, pointer: string): Value | undefined {
  const segments = segmentsOf(pointer)
  const rows = Object.entries(table)
    .map(([pattern, value]) => ({ wanted: segmentsOf(pattern), value }))
    .filter(({ wanted }) => wanted.length <= segments.length && wanted.every((each, i) => each === '*' || each === segments[i]))
  const rank = (wanted: readonly string[]) => wanted.map((each) => (each === '*' ? '0' : '1')).join('')
  return rows.toSorted((a, b) => b.wanted.length - a.wanted.length || (rank(a.wanted) < rank(b.wanted) ? 1 : -1))[0]?.value
}

const MAX_SCHEMA_DEPTH = 8

/** The pointers of the leaves that a JSON Schema describes, with `*` for members of lists and maps. */
export function leafPointers(schema: JsonObject): readonly string[] {
  const found: string[] = []
  const visit = (pointer: string, node: Json | undefined, depth: number): void => {
    if (!isObject(node) || depth > MAX_SCHEMA_DEPTH) return
    const branches = Array.isArray(node.anyOf) ? (node.anyOf as readonly Json[]) : []
    for (const branch of branches) visit(pointer, branch, depth + 1)
    if (isObject(node.properties)) {
      for (const [key, member] of Object.entries(node.properties))
        visit(`${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, member, depth + 1)
    }
    visit(`${pointer}/*`, node.items, depth + 1)
    visit(`${pointer}/*`, node.additionalProperties, depth + 1)
    if (!isObject(node.properties) && !isObject(node.items) && branches.length === 0) found.push(pointer)
  }
  visit('', schema, 0)
  return found
}
