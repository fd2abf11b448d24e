import { type FindOperation, isObject, type Json, type Operation, segmentsOf } from '@tidegate/kernel'
import type { Graph, GraphNode } from '@tidegate/runtime'
import { suggest } from '../yaml/did-you-mean.ts'
import { memberNames, missingIn, requiredBy } from './known-keys.ts'
import type { Finding, Path } from '../yaml/problem.ts'
import { type Reference, referencesIn, textsOf } from './reference-text.ts'
import type { WorkflowDocument } from './schema.ts'

/** What references are held against. */
export interface Known {
  readonly document: WorkflowDocument
  readonly graph: Graph | undefined
  readonly find: FindOperation
  /** Ids of every declared operation, for suggestions. */
  readonly declared: readonly string[]
}

/** Checks that every operation is declared and listed, that its arguments fit, and that every reference leads somewhere. */
export function checkReferences(known: Known): readonly Finding[] {
  return [...checkOperations(known), ...checkSuccess(known), ...checkNodes(known)]
}

function checkOperations({ document, find, declared, ...rest }: Known): readonly Finding[] {
  const known = { document, find, declared, ...rest }
  return document.operations.flatMap(({ id, confine }, i): readonly Finding[] => {
    const path = ['operations', i]
    const operation = find(id)
    if (operation === undefined)
      return [{ path: [...path, 'id'], message: `No tool declares the operation "${id}".${suggest(id, declared)}` }]
    const first = document.operations.findIndex((other) => other.id === id)
    const twice = first === i ? [] : [{ path: [...path, 'id'], message: `"${id}" is listed twice. Remove one of the two.` }]
    const confined = Object.entries(confine).flatMap(([key, text]) =>
      checkConfine({ key, text, operation }, [...path, 'confine', key], known),
    )
    return [...twice, ...confined]
  })
}

interface ConfineText {
  readonly key: string
  readonly text: string
  readonly operation: Operation
}

function checkConfine({ key, text, operation }: ConfineText, path: Path, known: Known): readonly Finding[] {
  const missing = missingIn(operation.input.jsonSchema, toPointer(key))
  if (missing !== undefined) {
    return [
      {
        path,
        atKey: true,
        message: `${operation.id} has no argument "${missing.segment}".${suggest(missing.segment, missing.known)}`,
      },
    ]
  }
  const [found, ...more] = referencesIn(text)
  if (found?.kind !== 'reference' || found.text !== text || more.length > 0) {
    return [{ path, message: 'Confine to a reference, such as $input/ticketId or $seen/desk.ticket.read/customerId.' }]
  }
  if (found.reference.root === 'notes') {
    return [{ path, message: 'Confine to $input or $seen. What the planner itself has noted cannot hold the planner.' }]
  }
  return checkReference(found.reference, path, known)
}

/** A field name or a JSON pointer, as a JSON pointer. */
export function toPointer(key: string): string {
  return key.startsWith('/') ? key : `/${key.replaceAll('~', '~0')}`
}

function checkSuccess(known: Known): readonly Finding[] {
  const { success } = known.document
  const operation = known.find(success.operation)
  const path = ['success', 'operation']
  const listed = checkListed(success.operation, path, known)
  if (listed.length > 0 || operation === undefined) return listed
  const reads =
    operation.mutability === 'read'
      ? []
      : [{ path, message: `${operation.id} changes the world. Success is seen by reading: use an operation that only reads.` }]
  const expected = Object.keys(success.expect)
  const none =
    expected.length > 0
      ? []
      : [{ path: ['success', 'expect'], message: 'Expect at least one value; otherwise every run would be a success.' }]
  const lost = expected.flatMap((key): readonly Finding[] => {
    const missing = missingIn(operation.output.jsonSchema, toPointer(key))
    if (missing === undefined) return []
    return [
      {
        path: ['success', 'expect', key],
        atKey: true,
        message: `${operation.id} answers no "${missing.segment}".${suggest(missing.segment, missing.known)}`,
      },
    ]
  })
  return [...reads, ...none, ...lost, ...checkArguments(operation, success.arguments, ['success', 'arguments'], known)]
}

function checkListed(id: string, path: Path, { document, declared, find }: Known): readonly Finding[] {
  const listed = document.operations.map((operation) => operation.id)
  if (listed.includes(id)) return []
  if (find(id) !== undefined) return [{ path, message: `The workflow does not list "${id}". Add it to operations.` }]
  return [{ path, message: `No tool declares the operation "${id}".${suggest(id, [...listed, ...declared])}` }]
}

function checkArguments(operation: Operation, args: Json, path: Path, known: Known): readonly Finding[] {
  if (!isObject(args)) return [{ path, message: 'Arguments are a map of names and values.' }]
  const schema = operation.input.jsonSchema
  const members = memberNames(schema)
  const unknown = Object.keys(args)
    .filter((key) => members !== undefined && !members.includes(key))
    .map(
      (key): Finding => ({
        path: [...path, key],
        atKey: true,
        message: `${operation.id} has no argument "${key}".${suggest(key, members ?? [])}`,
      }),
    )
  const missing = requiredBy(schema)
    .filter((key) => !Object.hasOwn(args, key))
    .map((key): Finding => ({ path, message: `${operation.id} needs the argument "${key}". Add it.` }))
  return [...unknown, ...missing, ...checkTemplate(args, path, known)]
}

function checkTemplate(template: Json, path: Path, known: Known): readonly Finding[] {
  return textsOf(template, path).flatMap(([at, text]) =>
    referencesIn(text).flatMap((found) =>
      found.kind === 'broken' ? [broken(found.text, at)] : checkReference(found.reference, at, known),
    ),
  )
}

/** A place where a reference must stand, and nothing else. */
function checkOnlyReference(text: string, path: Path, known: Known): readonly Finding[] {
  const [found] = referencesIn(text)
  return found?.kind === 'reference' && found.text === text ? checkReference(found.reference, path, known) : [broken(text, path)]
}

function broken(text: string, path: Path): Finding {
  return {
    path,
    message: `"${text}" is no reference. Write $input/<field>, $seen/<operation>/<field> or $notes/<node>/<field>, inside a text as {{$...}}.`,
  }
}

function checkReference({ root, name, pointer }: Reference, path: Path, known: Known): readonly Finding[] {
  if (root === 'input') {
    const fields = Object.keys(known.document.input)
    if (name === '' || fields.includes(name)) return []
    return [{ path, message: `The input has no field "${name}". Declare it under input.${suggest(name, fields)}` }]
  }
  return root === 'seen' ? checkSeen(name, pointer, path, known) : checkNote(name, pointer, path, known.graph)
}

function checkSeen(id: string, pointer: string, path: Path, known: Known): readonly Finding[] {
  const listed = checkListed(id, path, known)
  const operation = known.find(id)
  if (listed.length > 0 || operation === undefined) return listed
  const nodes = known.graph === undefined ? undefined : [...known.graph.nodes.values()]
  if (nodes?.some((node) => node.kind === 'operation' && node.operation === id) === false) {
    return [{ path, message: `No node of the graph calls ${id}, so that its answer is never seen. Add a node that does.` }]
  }
  const missing = missingIn(operation.output.jsonSchema, pointer)
  return missing === undefined
    ? []
    : [{ path, message: `${id} answers no "${missing.segment}".${suggest(missing.segment, missing.known)}` }]
}

function checkNote(name: string, pointer: string, path: Path, graph: Graph | undefined): readonly Finding[] {
  if (graph === undefined) return [{ path, message: 'Only a graph takes notes. Use $input or $seen.' }]
  const node = graph.nodes.get(name)
  const noted = [...graph.nodes].filter(([, other]) => notesOf(other) !== undefined).map(([other]) => other)
  const members = node === undefined ? undefined : notesOf(node)
  if (members === undefined)
    return [{ path, message: `No node "${name}" takes notes; classify, extract and branch nodes do.${suggest(name, noted)}` }]
  const [member] = segmentsOf(pointer)
  if (member === undefined || members.includes(member)) return []
  return [{ path, message: `The node "${name}" notes no "${member}".${suggest(member, members)}` }]
}

function notesOf(node: GraphNode): readonly string[] | undefined {
  if (node.kind === 'classify') return ['class', 'confidence']
  if (node.kind === 'branch') return ['next']
  return node.kind === 'extract' ? [...node.by.fields.keys()] : undefined
}

function checkNodes(known: Known): readonly Finding[] {
  return [...(known.graph?.nodes ?? [])].flatMap(([name, node]) => checkNode(node, ['graph', 'nodes', name], known))
}

function checkNode(node: GraphNode, path: Path, known: Known): readonly Finding[] {
  switch (node.kind) {
    case 'classify':
    case 'extract':
      return node.texts.flatMap((text, i) => checkOnlyReference(text, [...path, node.kind, i], known))
    case 'branch':
      return node.conditions.flatMap(({ value, test }, i) => {
        const at = [...path, 'branch', i]
        const expected =
          test.kind === 'equals' || test.kind === 'in' ? checkTemplate(test.expected, [...at, test.kind], known) : []
        return [...checkOnlyReference(value, [...at, 'if'], known), ...expected]
      })
    case 'operation': {
      const operation = known.find(node.operation)
      const listed = checkListed(node.operation, [...path, 'operation'], known)
      const args = operation === undefined ? [] : checkArguments(operation, node.arguments, [...path, 'arguments'], known)
      const words = { goal: node.goal, justification: node.justification }
      return [...listed, ...args, ...checkTemplate(words, path, known)]
    }
    case 'finish':
      return checkTemplate(node.reason, [...path, 'finish'], known)
    case 'give_up':
      return []
  }
}
