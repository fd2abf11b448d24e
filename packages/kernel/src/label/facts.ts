import type { Json } from '../canonical/json.ts'
import { valueAt } from '../canonical/pointer.ts'
import { type Flow, undeclaredInput } from './compile.ts'
import { type FlowContext, isEmpty } from './context.ts'
import type { FlowFacts, FlowInput } from './flow.ts'
import { grantOf } from './grant.ts'
import { type Place, pointerOf, visitLeaves } from './pattern.ts'
import { coversReaders } from './readers.ts'
import { gradeTarget, gradeText, isGroundedAmount, isGroundedValue, TARGET_GRADES } from './trace.ts'

/** One action, as it is held against the context that proposed it. */
export interface FlowQuestion {
  readonly context: FlowContext
  readonly operation: string
  readonly flow: Flow
  readonly arguments: Json
  readonly environment: string
  readonly nowMs: number
  /**
   * What our own code knows about an argument that no model wrote: it comes from trusted words, or from others. Undefined for a leaf that
   * the planner wrote; absent when it wrote them all.
   */
  readonly provenance?: (pointer: string) => 'trusted' | 'untrusted' | undefined
}

/**
 * Says where the arguments of an action come from. Pure; facts for policies, never a verdict.
 *
 * While nothing untrusted has been seen, whatever the planner says follows from trusted words alone: everything is grounded and nothing is
 * looked up. That is the fast path of ordinary runs.
 */
export function flowFacts(question: FlowQuestion): FlowFacts {
  const { context, flow } = question
  const gathered = gather(question)
  const ungrounded = new Set(gathered.ungrounded)
  const egress = egressOf(flow, question.arguments)
  return {
    tainted: context.tainted,
    sources: context.sources,
    egress,
    sinks: gathered.sinks,
    values: gathered.values,
    amounts: gathered.amounts,
    text: gathered.text,
    grant:
      context.grants === undefined
        ? 'none'
        : grantOf(context, { ...question, trusted: (pointer) => isTrustedAt(question.arguments, pointer, ungrounded) }),
    readable: coversReaders(context.readers, egress, gathered.recipients),
    ungrounded: gathered.ungrounded.toSorted(),
    declared: flow.declared,
  }
}

/** An argument that is not there is not grounded; one with parts is, when all of them are. */
function isTrustedAt(args: Json, pointer: string, ungrounded: ReadonlySet<string>): boolean {
  if (isEmpty(valueAt(args, pointer))) return false
  return [...ungrounded].every((place) => place !== pointer && !place.startsWith(`${pointer}/`))
}

/** A call whose every way to others is empty stays with the user. */
function egressOf({ egress, egressVia }: Flow, args: Json): FlowFacts['egress'] {
  const reaches = egressVia.length === 0 || egressVia.some((pointer) => !isEmpty(valueAt(args, pointer)))
  return reaches ? egress : 'none'
}

interface Gathered {
  sinks: FlowFacts['sinks']
  values: FlowFacts['values']
  amounts: FlowFacts['amounts']
  text: FlowFacts['text']
  readonly ungrounded: string[]
  readonly recipients: string[]
}

const TEXT_GRADES = ['carrying', 'relayed', 'prose', 'task'] as const
const VALUE_GRADES = ['free', 'grounded'] as const

function gather({ context, operation, flow, arguments: args, provenance }: FlowQuestion): Gathered {
  const gathered: Gathered = { sinks: 'none', values: 'none', amounts: 'none', text: 'none', ungrounded: [], recipients: [] }
  visitLeaves(flow.inputs, args, {
    leaf(value, declared, place) {
      if (isEmpty(value) || typeof value === 'object') return
      const input = declared ?? undeclaredInput(value as Json, flow.mutates)
      if (value === input.default) return // what is assumed anyway says nothing
      if (input.role === 'sink') gathered.recipients.push(String(value))
      const known = provenance?.(pointerOf(place))
      const isAssumed = known === 'trusted' || (known === undefined && !context.tainted)
      if (isAssumed) assume(gathered, input)
      else grade(gathered, { context, operation, value: value as Leaf, input, place })
    },
  })
  return gathered
}

type Leaf = string | number | boolean

/** What holds of a leaf that follows from trusted words alone. It never makes up for another leaf that does not. */
function assume(gathered: Gathered, { role, type }: FlowInput): void {
  if (role === 'sink') gathered.sinks = weakest(TARGET_GRADES, gathered.sinks, 'named')
  else if (isFreeText(role, type)) gathered.text = weakest(TEXT_GRADES, gathered.text, 'task')
  else if (type === 'amount') gathered.amounts = weakest(VALUE_GRADES, gathered.amounts, 'grounded')
  else gathered.values = weakest(VALUE_GRADES, gathered.values, 'grounded')
}

function isFreeText(role: FlowInput['role'], type: FlowInput['type']): boolean {
  return role === 'text' || type === 'text'
}

interface GradedLeaf {
  readonly context: FlowContext
  readonly operation: string
  readonly value: Leaf
  readonly input: FlowInput
  readonly place: Place | undefined
}

function grade(gathered: Gathered, leaf: GradedLeaf): void {
  const { context, operation, value, input, place } = leaf
  const sink = { operation, pointer: pointerOf(place), type: input.type }
  if (input.role === 'sink') {
    const found = typeof value === 'boolean' ? 'unknown' : gradeTarget(context, value, sink)
    gathered.sinks = weakest(TARGET_GRADES, gathered.sinks, found)
    if (found === 'unknown' || found === 'listed') gathered.ungrounded.push(sink.pointer)
  } else if (isFreeText(input.role, input.type)) {
    const found = gradeText(context, String(value))
    gathered.text = weakest(TEXT_GRADES, gathered.text, found)
    if (found !== 'task') gathered.ungrounded.push(sink.pointer)
  } else {
    const grounded = input.type === 'amount' ? isGroundedAmount(context, value) : isGroundedValue(context, value, input, sink)
    const kind = input.type === 'amount' ? 'amounts' : 'values'
    gathered[kind] = weakest(VALUE_GRADES, gathered[kind], grounded ? 'grounded' : 'free')
    if (!grounded) gathered.ungrounded.push(sink.pointer)
  }
}

/** Grades are listed from worst to best; `none` is no grade yet. */
function weakest<T extends string>(grades: readonly T[], before: T | 'none', found: T): T {
  return before === 'none' || grades.indexOf(found) < grades.indexOf(before) ? found : before
}
