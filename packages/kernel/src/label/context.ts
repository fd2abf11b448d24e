import type { Json } from '../canonical/json.ts'
import { type Flow, undeclaredInput } from './compile.ts'
import type { Moments } from './date.ts'
import { momentsIn } from './date.ts'
import { type Evidence, evidenceOf, fitsClosedType, settledOrigin } from './evidence.ts'
import { evidenceIn } from './evidence-in.ts'
import { type FlowInput, isClosedType } from './flow.ts'
import type { Grant, GrantUse } from './grant.ts'
import { once } from './once.ts'
import { type Place, pointerOf, visitLeaves } from './pattern.ts'
import { joinReaders, type Readers } from './readers.ts'
import { readTask, type Task } from './task.ts'
import { canonicalText } from './words.ts'

/**
 * What a run's planner has been shown, as far as labels go. Immutable; a fold of the run's records by {@link observe} and its siblings.
 *
 * 1. `tainted` and `readers` only ever rise, and do not depend on the order of observations.
 * 2. The planner is opaque and assumed to be in an attacker's hands: every argument and every decision to call inherits the context. What
 *    an argument was made from is never believed; where its value can be found is looked up.
 * 3. Nothing here lowers the label of the context. An approval covers one call, one value for one sink, or a list of calls.
 */
export interface FlowContext {
  /** Read when it is first looked at: most runs see nothing untrusted and never do. */
  readonly task: () => Task
  readonly tainted: boolean
  /** Who brought third-party text into the context, sorted. */
  readonly sources: readonly string[]
  readonly readers: Readers
  readonly seen: readonly Seen[]
  /** `operation, pointer` -> canonical values that a person has endorsed for this sink. */
  readonly endorsed: ReadonlyMap<string, ReadonlySet<string>>
  /** Undefined when nobody has narrowed the run to a plan. */
  readonly grants: readonly Grant[] | undefined
  /** By id of the grant. */
  readonly grantUse: ReadonlyMap<string, GrantUse>
  /** The moments of the task and of trusted records. */
  readonly moments: () => readonly Moments[]
}

/** One answer in a context, with the evidence that it offers. */
export interface Seen {
  /** Which one of the context it is, counted from the first that it ever saw. */
  readonly n: number
  readonly source: string
  readonly output: Json
  readonly flow: Flow
  readonly evidence: () => Evidence
}

/** An answer that a run has received. */
export interface Observation {
  /** The operation that answered, or another name for where it came from. */
  readonly source: string
  readonly output: Json
  readonly flow: Flow
  /** The planner does not see it: it is passed on by reference only, and so does not taint. It stays evidence, and its readers count. */
  readonly hidden?: boolean
  /** The call that it answers was not grounded, so that what the answer echoes of it is not trusted. */
  readonly echoesUntrusted?: boolean
}

/** Opens the context of a run. `task` is what those wrote who may instruct it: the user's turn and the constants of the workflow. */
export function openFlow(task: readonly string[]): FlowContext {
  const read = once(() => readTask(task))
  return {
    task: read,
    tainted: false,
    sources: [],
    readers: [],
    seen: [],
    endorsed: new Map(),
    grants: undefined,
    grantUse: new Map(),
    moments: momentsOf(read, []),
  }
}

/** Says anew what those wrote who may instruct the run: a conversation goes on, and more is asked. */
export function instruct(context: FlowContext, task: readonly string[]): FlowContext {
  const read = once(() => readTask(task))
  return { ...context, task: read, moments: momentsOf(read, context.seen) }
}

/** Adds what the run has received. Costs a walk over the answer; the evidence is only built when an argument is traced. */
export function observe(context: FlowContext, observation: Observation): FlowContext {
  const { source, output, flow, hidden = false, echoesUntrusted = false } = observation
  const label = labelOf(output, flow, echoesUntrusted)
  const tainting = label.untrusted && !hidden
  const { task } = context // and not the context: what is seen would keep every context before it
  const evidence = once(() => evidenceOf(output, flow, echoesUntrusted, task()))
  const n = (context.seen.at(-1)?.n ?? -1) + 1
  const seen = [...context.seen, { n, source, output, flow, evidence }]
  return {
    ...context,
    tainted: context.tainted || tainting,
    sources: tainting && !context.sources.includes(source) ? [...context.sources, source].toSorted() : context.sources,
    readers: joinReaders(context.readers, label.readers),
    seen,
    moments: momentsOf(task, seen),
  }
}

/** The label of one value: whether a third party could have written an instruction into it, and who may read it. */
export interface FlowLabel {
  readonly untrusted: boolean
  readonly readers: Readers
}

/** The label of an output, or of a part of one when the flow is that of the part. */
export function labelOf(output: Json, flow: Pick<Flow, 'outputs'>, echoesUntrusted = false): FlowLabel {
  let untrusted = false
  const sets: (readonly string[])[] = []
  let last: readonly string[] | undefined
  visitLeaves(flow.outputs, output, {
    leaf(value, declared) {
      const origin = settledOrigin(declared?.origin, echoesUntrusted)
      if (origin !== 'system' && origin !== 'user') untrusted ||= !isTooSmall(value, declared?.type ?? 'text')
      const readers = declared?.readers ?? USER_ONLY
      if (readers === last || isEmpty(value)) return
      last = readers
      if (!readers.includes('public')) sets.push(readers) // what everybody may read narrows nothing
    },
    key(_, declared) {
      const origin = settledOrigin((declared?.keys ?? declared)?.origin, echoesUntrusted)
      if (origin !== 'system' && origin !== 'user') untrusted = true
    },
  })
  return { untrusted, readers: sets.length < 2 ? sets : joinReaders([], distinct(sets)) }
}

const USER_ONLY: readonly string[] = ['user']

function distinct(sets: readonly (readonly string[])[]): Readers {
  return [...new Map(sets.map((set) => [set.toSorted().join('\u0000'), set])).values()]
}

/** A value of a closed type, in the form of that type, or nothing at all. */
function isTooSmall(value: Json, type: FlowInput['type']): boolean {
  return isEmpty(value) || (isClosedType(type) && fitsClosedType(value, type))
}

/** True for what says nothing: null, an empty text, an empty list. */
export function isEmpty(value: Json | undefined): boolean {
  if (value === null || value === undefined || value === '') return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

/** Remembers that a person endorsed a value for one sink (a JSON pointer) of an operation, for the rest of this run. */
export function endorseValue(
  context: FlowContext,
  { operation, pointer, value }: { operation: string; pointer: string; value: Json },
): FlowContext {
  const canonical = canonicalText(String(value))
  if (canonical === '' || typeof value === 'object') return context
  const key = sinkKey(operation, pointer)
  const values = new Set(context.endorsed.get(key)).add(canonical)
  return { ...context, endorsed: new Map(context.endorsed).set(key, values) }
}

/** Remembers that a person approved a call: its targets are endorsed for the same sinks, and nothing else of it is. */
export function endorseCall(
  context: FlowContext,
  { operation, flow, arguments: args }: { operation: string; flow: Flow; arguments: Json },
): FlowContext {
  let next = context
  visitLeaves(flow.inputs, args, {
    leaf(value: Json, declared: FlowInput | undefined, place: Place | undefined) {
      const input = declared ?? undeclaredInput(value, flow.mutates)
      if (input.role === 'sink') next = endorseValue(next, { operation, pointer: pointerOf(place), value })
    },
  })
  return next
}

/** Names a sink; the places of a list are one sink. */
export function sinkKey(operation: string, pointer: string): string {
  return `${operation}\u0000${pointer.replace(/\/\d+(?=\/|$)/g, '/*')}`
}

/** The moments of the task and of what was seen, read when they are first looked at. */
function momentsOf(task: FlowContext['task'], seen: readonly Seen[]): FlowContext['moments'] {
  return once(() => {
    const evidence = evidenceIn(seen)
    const today = [...new Set(evidence.flatMap((e) => e.today))]
    const recorded = evidence.flatMap((e) => e.moments)
    const named = task().moments(today)
    return today.length + recorded.length === 0 ? [named] : [named, momentsIn([...today, ...recorded].join('\n'), [])]
  })
}
