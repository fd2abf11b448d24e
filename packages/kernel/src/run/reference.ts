import { isObject, valueAt } from '../canonical/pointer.ts'
import type { Json } from '../canonical/json.ts'
import { joinOrigins, type Origin } from '../label/origin.ts'
import { originAt } from '../label/provenance.ts'
import type { Operation } from '../action/operation.ts'
import type { RunFacts } from './state.ts'
import type { Workflow } from './workflow.ts'

/** What a reference stands for, and who wrote it. */
export interface Resolved {
  readonly value: Json
  readonly origins: readonly Origin[]
}

/** Where references look. `origins` tells who wrote the output of an operation. */
export interface Scope {
  readonly facts: RunFacts
  readonly workflow: Pick<Workflow, 'inputOrigins'>
  readonly operation: (id: string) => Operation | undefined
}

const REFERENCE = /^\$(input|seen|notes)(?:\/([^/]+))?((?:\/[^/]*)*)$/
const EMBEDDED = /\{\{\s*(\$[^{}\s]+)\s*\}\}/g

/**
 * Looks up one reference: `$input/<pointer>`, `$seen/<operation><pointer>` (what that operation answered last) or
 * `$notes/<node><pointer>` (what that node of the graph noted). Undefined when there is nothing there.
 */
export function resolveReference(reference: string, scope: Scope): Resolved | undefined {
  const parsed = parseReference(reference)
  if (parsed === undefined) return undefined
  const { root, name, pointer } = parsed
  const { facts } = scope
  if (root === 'input') {
    const value = valueAt(facts.input, pointer)
    return value === undefined ? undefined : { value, origins: [scope.workflow.inputOrigins[pointer] ?? 'user'] }
  }
  if (root === 'seen') {
    const value = valueAt(facts.seen.get(name) ?? null, pointer)
    const operation = scope.operation(name)
    if (value === undefined || !facts.seen.has(name) || operation === undefined) return undefined
    return { value, origins: originAt(operation.origins, pointer, value) }
  }
  const note = facts.notes.get(name)
  const value = note === undefined ? undefined : valueAt(note.value, pointer)
  return note === undefined || value === undefined ? undefined : { value, origins: note.origins }
}

/** A reference taken apart. Of the input the name is a part of the pointer. */
interface Reference {
  readonly root: string
  readonly name: string
  readonly pointer: string
}

/** References come from declarations, again and again: they are remembered, up to a bound. */
const REMEMBERED = 1_024
const known = new Map<string, Reference>()

function parseReference(reference: string): Reference | undefined {
  const before = known.get(reference)
  if (before !== undefined) return before
  const match = REFERENCE.exec(reference)
  if (match === null) return undefined
  const [, root = '', name = '', pointer = ''] = match
  const made = root === 'input' ? { root, name: '', pointer: name === '' ? '' : `/${name}${pointer}` } : { root, name, pointer }
  if (known.size >= REMEMBERED) known.clear()
  known.set(reference, made)
  return made
}

/** A filled-in template, with the origins of each leaf by JSON pointer. */
export type Filled =
  | { readonly ok: true; readonly value: Json; readonly origins: Readonly<Record<string, readonly Origin[]>> }
  | { readonly ok: false; readonly missing: string }

/**
 * Fills in a template: a text that is a reference becomes the value it stands for, `{{$...}}` inside a text is replaced by it, and
 * everything else stays as the workflow wrote it. Fails with the first reference that leads nowhere, and never guesses.
 */
export function resolveTemplate(template: Json, scope: Scope): Filled {
  const origins: Record<string, readonly Origin[]> = {}
  try {
    return { ok: true, value: fill(template, '', scope, origins), origins }
  } catch (error) {
    if (error instanceof MissingReference) return { ok: false, missing: error.message }
    throw error
  }
}

/** Private to this file: carries the missing reference out of the recursion. */
class MissingReference extends Error {}

function fill(template: Json, path: string, scope: Scope, origins: Record<string, readonly Origin[]>): Json {
  if (typeof template === 'string') return fillText(template, path, scope, origins)
  if (Array.isArray(template)) return (template as readonly Json[]).map((item, i) => fill(item, `${path}/${i}`, scope, origins))
  if (isObject(template)) {
    return Object.fromEntries(
      Object.entries(template).map(([key, item]) => [
        key,
        fill(item, `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, scope, origins),
      ]),
    )
  }
  origins[path] = ['workflow']
  return template
}

function fillText(text: string, path: string, scope: Scope, origins: Record<string, readonly Origin[]>): Json {
  if (REFERENCE.test(text)) {
    const resolved = resolveReference(text, scope)
    if (resolved === undefined) throw new MissingReference(text)
    origins[path] = resolved.origins
    return resolved.value
  }
  let joined: readonly Origin[] = ['workflow']
  const filled = text.replace(EMBEDDED, (_, reference: string) => {
    const resolved = resolveReference(reference, scope)
    if (resolved === undefined) throw new MissingReference(reference)
    joined = joinOrigins(joined, resolved.origins)
    return typeof resolved.value === 'string' ? resolved.value : JSON.stringify(resolved.value)
  })
  origins[path] = joined
  return filled
}
