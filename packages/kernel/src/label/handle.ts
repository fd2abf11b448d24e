import type { Json } from '../canonical/json.ts'
import { isObject, valueAt } from '../canonical/pointer.ts'
import type { Flow } from './compile.ts'
import { labelOf } from './context.ts'
import { settledOrigin } from './evidence.ts'
import type { FieldOrigin, FlowOutput, ValueType } from './flow.ts'
import type { Origin } from './origin.ts'
import { pointerOf, visitLeaves } from './pattern.ts'

/** What stands in the place of a value that a planner is not shown: enough to pass it on, and nothing of what it says. */
export interface Handle {
  /** The name of the answer and a JSON pointer into it, such as `$r3/body`. */
  readonly ref: string
  readonly type: ValueType
  /** UTF-16 units. */
  readonly length: number
}

/** An answer, by the name under which a planner knows it. */
export interface Named {
  readonly name: string
  readonly flow: Pick<Flow, 'outputs'>
  /** See {@link settledOrigin}. */
  readonly echoesUntrusted?: boolean
}

/**
 * Shows an answer to a planner that must not see what strangers wrote: each of its leaves that {@link labelOf} calls untrusted is a
 * {@link Handle}, and so is an object whose keys strangers chose. What is left does not taint.
 */
export function showTyped(value: Json, { name, flow, echoesUntrusted = false }: Named): Json {
  const handles = new Map<string, Json>()
  const hide = (pointer: string, hidden: Json, type: ValueType) => {
    const length = typeof hidden === 'string' ? hidden.length : JSON.stringify(hidden).length
    handles.set(pointer, { ref: `${name}${pointer}`, type, length } satisfies Handle)
  }
  visitLeaves(flow.outputs, value, {
    leaf(leaf, declared, place) {
      const { untrusted } = labelOf(leaf, { outputs: leafTree(declared) }, echoesUntrusted)
      if (untrusted) hide(pointerOf(place), leaf, declared?.type ?? 'text')
    },
    key(_, declared, place) {
      const origin = settledOrigin((declared?.keys ?? declared)?.origin, echoesUntrusted)
      const pointer = pointerOf(place)
      if (!isTrustedOrigin(origin) && !handles.has(pointer)) hide(pointer, valueAt(value, pointer) ?? null, 'text')
    },
  })
  return handles.size === 0 ? value : replaceAt(value, '', handles)
}

function leafTree(declared: FlowOutput | undefined): Flow['outputs'] {
  return { exact: new Map(), any: undefined, declared }
}

function isTrustedOrigin(origin: FieldOrigin): boolean {
  return origin === 'system' || origin === 'user'
}

function replaceAt(value: Json, pointer: string, handles: ReadonlyMap<string, Json>): Json {
  const handle = handles.get(pointer)
  if (handle !== undefined) return handle
  if (Array.isArray(value)) return (value as readonly Json[]).map((item, i) => replaceAt(item, `${pointer}/${i}`, handles))
  if (!isObject(value)) return value
  const below = (key: string) => `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaceAt(item, below(key), handles)]))
}

/** Who wrote each leaf of an answer, by JSON pointer, as its flow says it. */
export function leafOrigins(
  value: Json,
  { flow, echoesUntrusted = false }: Omit<Named, 'name'>,
): ReadonlyMap<string, readonly Origin[]> {
  const origins = new Map<string, readonly Origin[]>()
  visitLeaves(flow.outputs, value, {
    leaf(_, declared, place) {
      const origin = settledOrigin(declared?.origin, echoesUntrusted)
      origins.set(pointerOf(place), [origin === 'system' || origin === 'user' ? origin : 'third-party'])
    },
  })
  return origins
}
