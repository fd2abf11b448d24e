import type { Json, JsonObject } from '../canonical/json.ts'
import { leavesOf, segmentsOf } from '../canonical/pointer.ts'
import type { Flow } from './compile.ts'
import { sinkKey } from './context.ts'
import type { FlowInput } from './flow.ts'
import type { Grant } from './grant.ts'
import type { PatternNode } from './pattern.ts'
import { canonicalText } from './words.ts'

/** Longer or more than a line is no name of a target. */
const MAX_TARGET_LENGTH = 400
const MAX_POINTER_LENGTH = 400

export type SinkValue =
  | { readonly kind: 'target'; readonly value: string | number }
  | { readonly kind: 'refused'; readonly code: 'not_a_sink' | 'value_unusable'; readonly message: string }

/**
 * Says whether a value may be endorsed for a place in the arguments of an operation: only one that selects a target, where somebody has
 * declared that it does. Never free text, never a secret, never an operation that nobody has described (docs/spec/labels.md, section 7).
 */
export function targetFor(flow: Flow, pointer: string, value: Json | undefined): SinkValue {
  const refuse = (code: 'not_a_sink' | 'value_unusable', message: string): SinkValue => ({ kind: 'refused', code, message })
  if (!flow.declared) return refuse('not_a_sink', 'nobody has declared which arguments of this operation select its target')
  const input = isPointer(pointer) ? declaredAt(flow.inputs, pointer) : undefined
  if (input?.role !== 'sink' || input.type === 'text' || input.type === 'secret')
    return refuse('not_a_sink', 'this argument does not select a target; text, amounts and secrets are approved call by call')
  if (typeof value !== 'string' && typeof value !== 'number')
    return refuse('value_unusable', 'there is no single text or number there; name one member of a list, such as /to/0')
  if (typeof value === 'string' && (value.length > MAX_TARGET_LENGTH || CONTROL.test(value)))
    return refuse('value_unusable', `the name of a target is one line of at most ${MAX_TARGET_LENGTH} characters`)
  if (canonicalText(String(value)) === '') return refuse('value_unusable', 'the value is empty, or nothing but punctuation')
  return { kind: 'target', value }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: what has control characters in it is no name of a target
const CONTROL = /[\u0000-\u001F\u007F]/

function isPointer(pointer: string): boolean {
  return pointer.startsWith('/') && pointer.length <= MAX_POINTER_LENGTH
}

/** True when arguments of the operation hold the value in this sink: in any place of it, in any spelling that counts as the same. */
export function holdsTarget(
  args: Json,
  { operation, pointer }: { readonly operation: string; readonly pointer: string },
  value: string | number,
): boolean {
  const key = sinkKey(operation, pointer)
  const canonical = canonicalText(String(value))
  return leavesOf(args).some(([at, leaf]) => sinkKey(operation, at) === key && canonicalText(String(leaf)) === canonical)
}

/** The deepest declaration above a place. */
function declaredAt(tree: PatternNode<FlowInput>, pointer: string): FlowInput | undefined {
  let node: PatternNode<FlowInput> | undefined = tree
  let declared = tree.declared
  for (const segment of segmentsOf(pointer)) {
    node = node?.exact.get(segment) ?? node?.any
    declared = node?.declared ?? declared
  }
  return declared
}

/**
 * The arguments that a grant pins, when it pins each with one value: then it may be one exact call. Undefined when it leaves one open, or
 * pins none.
 */
export function pinnedArguments({ arguments: constraints }: Grant): JsonObject | undefined {
  const entries = Object.entries(constraints)
  if (entries.length === 0) return undefined
  const pinned = entries.map(([pointer, constraint]) => {
    const [name, ...deeper] = segmentsOf(pointer)
    const isExact = name !== undefined && deeper.length === 0 && constraint.kind === 'exact'
    return isExact ? ([name, constraint.value] as const) : undefined
  })
  return pinned.every((entry) => entry !== undefined) ? Object.fromEntries(pinned) : undefined
}
