import { isObject, leavesOf, valueAt } from '../canonical/pointer.ts'
import type { Json, JsonObject } from '../canonical/json.ts'
import { joinOrigins, type Origin } from '../label/origin.ts'
import { originAt, type Source, traceValue } from '../label/provenance.ts'
import { isOpen } from '../limit/breaker.ts'
import { type Decision, deny } from '../policy/decision.ts'
import type { Hasher } from '../ports/hasher.ts'
import type { FailureKind } from '../run/failure.ts'
import { resolveReference, type Scope } from '../run/reference.ts'
import { factsOf, type RunState } from '../run/state.ts'
import type { AllowedOperation, Workflow } from '../run/workflow.ts'
import { actionDigest } from './digest.ts'
import type { Operation, ShapeResult } from './operation.ts'
import type { Proposal } from './proposal.ts'

/** Finds a declared operation; undefined for one that nobody declared. */
export type FindOperation = (id: string) => Operation | undefined

/** What a proposal is held against before any policy is asked. */
export interface Admission {
  readonly state: RunState
  readonly workflow: Workflow
  readonly find: FindOperation
  readonly hasher: Hasher
  readonly policyVersion: string
  /** Operations whose breaker is open, and until when. */
  readonly breakers: Readonly<Record<string, number>>
  readonly nowMs: number
  /** Number of the action that this one makes up for, if it does. */
  readonly compensates: number | null
  /** True for the look at the end: the workflow asks for it, so it repeats nothing of the planner's. */
  readonly isCheck?: boolean
  /** Operations that are not declared as somebody has accepted them; none when absent. */
  readonly quarantined?: ReadonlySet<string>
}

/** A proposal in normal form. */
export interface Admitted {
  readonly kind: 'admitted'
  readonly operation: Operation
  readonly arguments: JsonObject
  readonly digest: string
  readonly origins: readonly Origin[]
}

/** A proposal that no policy needs to see: the guard that refused it is the decision. */
export interface Rejected {
  readonly kind: 'rejected'
  readonly decision: Decision
  readonly failure: FailureKind
  readonly digest: string | null
}

/**
 * Holds a proposal against what is declared, and puts its arguments into normal form. Pure.
 *
 * The planner is assumed to be in an attacker's hands: an operation nobody declared, one the workflow does not list, arguments that
 * do not fit the schema, that reach further than declared, or that name other records than the run is about, are refused here and
 * recorded. Compensations skip the workflow's list (they are declared by the tool, not chosen by the planner) and nothing else.
 */
export function admit(proposal: Proposal, admission: Admission): Admitted | Rejected {
  const { workflow, find, hasher } = admission
  const operation = find(proposal.operation)
  if (operation === undefined) {
    return reject(admission, 'tidegate:undeclared-operation', `no tool declares the operation "${clip(proposal.operation)}"`)
  }
  const allowed = workflow.operations.get(operation.id)
  if (allowed === undefined && admission.compensates === null) {
    return reject(admission, 'tidegate:not-in-workflow', `workflow ${workflow.name} does not list ${operation.id}`)
  }
  if (admission.quarantined?.has(operation.id) === true) {
    const reason = `${operation.id} has changed since it was accepted: see tidegate tools review`
    return reject(admission, 'tidegate:quarantined', reason)
  }
  const shaped = parseArguments(operation, proposal.arguments)
  if (!shaped.ok || !isObject(shaped.value)) {
    const issues = shaped.ok
      ? '(root): expected an object'
      : shaped.issues
          .map((i) => `${i.path || '(root)'}: ${i.message}`)
          .slice(0, 5)
          .join('; ')
    return widens(operation, proposal.arguments) === undefined
      ? reject(admission, 'tidegate:invalid-arguments', `arguments do not fit ${operation.id}: ${clip(issues, 400)}`, 'planning')
      : reject(admission, 'tidegate:scope', widens(operation, proposal.arguments) ?? '')
  }
  const normalised = shaped.value
  const digest = actionDigest(hasher, operation, normalised)
  const refusal = refuse(operation, normalised, digest, allowed, admission)
  if (refusal !== undefined) return { ...refusal, digest }
  return { kind: 'admitted', operation, arguments: normalised, digest, origins: originsOf(proposal, normalised, admission) }
}

/** A validator that throws has not accepted anything (I6). */
function parseArguments(operation: Operation, args: Json): ShapeResult {
  try {
    return operation.input.parse(args)
  } catch {
    return { ok: false, issues: [{ path: '', message: 'the validator of this operation failed' }] }
  }
}

function refuse(
  operation: Operation,
  args: JsonObject,
  digest: string,
  allowed: AllowedOperation | undefined,
  admission: Admission,
): Rejected | undefined {
  const wider = widens(operation, args)
  if (wider !== undefined) return reject(admission, 'tidegate:scope', wider)
  const outside = allowed === undefined || admission.compensates !== null ? undefined : leavesConfine(allowed, args, admission)
  if (outside !== undefined) return reject(admission, 'tidegate:confined', outside)
  // Taking back is tried although the operation is given a rest: giving up would leave the effect standing.
  if (admission.compensates !== null) return undefined
  if (admission.isCheck === true) return breakerRefusal(operation, admission)
  let repeats = 0
  for (const { proposed } of admission.state.actions) if (proposed.digest === digest && proposed.purpose === 'act') repeats += 1
  if (repeats >= admission.workflow.limits.repeats) {
    return reject(admission, 'tidegate:loop', `this run has proposed the same action ${repeats} times already`, 'loop')
  }
  return breakerRefusal(operation, admission)
}

function breakerRefusal(operation: Operation, admission: Admission): Rejected | undefined {
  if (!isOpen(admission.breakers[operation.id], admission.nowMs)) return undefined
  return reject(
    admission,
    'tidegate:breaker-open',
    `${operation.id} has failed repeatedly and is given a rest`,
    'connector_timeout',
  )
}

/** What stands for more than one record: a pattern, a control character, a word for everything or nothing. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: an identifier with control characters is not one exact record
const WILDCARD = /[*?%\u0000-\u001F]|^(?:all|any|every|everything|everyone|none|null|undefined)$/i

/** In words, how arguments reach further than the operation declares; undefined when they do not. */
function widens(operation: Operation, args: Json): string | undefined {
  let named = 0
  for (const pointer of operation.records) {
    const value = valueAt(args, pointer)
    const values = Array.isArray(value) ? (value as readonly Json[]) : [value]
    if (operation.maxRecords === 1 && Array.isArray(value))
      return `${operation.id} touches one record, but ${pointer} names ${value.length}`
    if (values.length === 0) return `${operation.id} needs at least one exact record in ${pointer}`
    for (const id of values) {
      if (typeof id !== 'string' && typeof id !== 'number') return `${operation.id} needs one exact record in ${pointer}`
      if (id === '' || WILDCARD.test(String(id))) return `${pointer} is not one exact record` // the value itself is sealed: what stands here is in the ledger for good
    }
    named = Math.max(named, values.length)
  }
  return named > operation.maxRecords
    ? `${operation.id} touches at most ${operation.maxRecords} records, not ${named}`
    : undefined
}

function leavesConfine(allowed: AllowedOperation, args: JsonObject, admission: Admission): string | undefined {
  for (const pointer of Object.keys(allowed.confine)) {
    const reference = allowed.confine[pointer] ?? ''
    const within = resolveReference(reference, scopeOf(reference, admission))
    if (within === undefined) return `${pointer} must equal ${reference}, which this run does not know yet`
    if (!contains(within.value, valueAt(args, pointer)))
      return `${pointer} must equal ${reference}: this run is about another record`
  }
  return undefined
}

/** A list means that any of its members will do. */
function contains(within: Json, value: Json | undefined): boolean {
  return Array.isArray(within) ? (within as readonly Json[]).includes(value as Json) : within === value
}

/** Most references are to the input: what the run has seen is gathered for the others only. */
function scopeOf(reference: string, { state, workflow, find }: Admission): Scope {
  const { sealed } = state.opened
  const facts = reference.startsWith('$input') ? { input: sealed.input, notes: state.notes, seen: NOTHING_SEEN } : factsOf(state)
  return { facts, workflow, operation: find }
}

const NOTHING_SEEN: ReadonlyMap<string, Json> = new Map()

/** Joins the origins of all leaves: as the planner's references say, or traced through everything the run has seen. */
function originsOf(proposal: Proposal, args: JsonObject, admission: Admission): readonly Origin[] {
  const leaves = leavesOf(args)
  const declared = proposal.origins ?? proposal.references
  let sources: readonly Source[] | undefined
  let joined: readonly Origin[] = []
  for (const [pointer, leaf] of leaves) {
    const known = declared?.[pointer]
    if (known === undefined) sources ??= sourcesOf(admission)
    joined = joinOrigins(joined, known ?? traceValue(leaf, sources ?? []))
  }
  return joined
}

function sourcesOf({ state, workflow, find }: Admission): readonly Source[] {
  const facts = factsOf(state)
  const input: Source = { value: facts.input, origin: (pointer) => [workflow.inputOrigins[pointer] ?? 'user'] }
  const seen = [...facts.seen].map(([id, value]): Source => {
    const origins = find(id)?.origins ?? {}
    return { value, origin: (pointer, leaf) => originAt(origins, pointer, leaf) }
  })
  return [input, ...seen]
}

function reject(admission: Admission, id: string, reason: string, failure: FailureKind = 'policy_denial'): Rejected {
  return { kind: 'rejected', decision: deny(id, reason, admission.policyVersion), failure, digest: null }
}

function clip(text: string, length = 80): string {
  return text.length > length ? `${text.slice(0, length)}...` : text
}
