import type { CedarEngine, CedarSchema } from '@tidegate/cedar'
import {
  type Decision,
  type Json,
  type Operation,
  type Outcome,
  type PolicyDiff,
  type PolicyRequest,
  resolveVerdict,
  type Workflow,
  writeApprovers,
} from '@tidegate/kernel'
import type { Sample } from '../condition/answers.ts'
import { formulaOf } from '../condition/formula.ts'
import { within } from '../condition/scope.ts'
import { completeArguments } from '../request/example-arguments.ts'
import { requestOf } from '../request/facts.ts'
import { tourOf } from './combinations.ts'
import { valueOf, withFact } from './fact-path.ts'
import { type Variable, variablesOf } from './variables.ts'

/** What becomes of one operation in one workflow, where it is not what it was. */
export interface DecisionChange {
  readonly workflow: string
  readonly operation: string
  readonly before: Outcome
  readonly after: Outcome
  /** For `ask`: who is asked, as policies write it; otherwise empty. */
  readonly approversBefore: string
  readonly approversAfter: string
  /** Of the requests that were decided under both. */
  readonly requests: number
  readonly example: ChangeExample
}

/** The request of a change that says least: only what is not neutral about it. */
export interface ChangeExample {
  /** Attribute of the context -> its value; null for an argument that is left out. */
  readonly facts: Readonly<Record<string, Json>>
  readonly policiesBefore: readonly string[]
  readonly policiesAfter: readonly string[]
}

/** How decisions differ under two sets of policies. */
export interface DecisionDiff {
  /** Requests that were decided under both. */
  readonly requests: number
  /** True when they stand for all requests that differ in what policies ask about; false when they are a sample of them. */
  readonly exhaustive: boolean
  /** Attributes that policies ask about in ways that are not varied. */
  readonly notVaried: readonly string[]
  /** What is allowed now and was not comes first, then what else is looser, then what is stricter. */
  readonly changes: readonly DecisionChange[]
}

/** What is decided under both sets. */
export interface DecisionGround {
  readonly before: CedarEngine
  readonly after: CedarEngine
  readonly schema: CedarSchema
  readonly operations: readonly Operation[]
  readonly workflows: readonly Workflow[]
  /** Requests to decide in all. */
  readonly budget: number
}

/**
 * Decides requests under two sets of policies and says which outcomes change.
 *
 * The requests are those that can be made: each operation that a workflow may use, as both are declared, with the facts varied that
 * the policies in reach ask about, by values that answer each question in every way. Operations that no changed policy reaches are left
 * out: their decisions are the same. Deterministic.
 */
export function diffDecisions(ground: DecisionGround, diff: PolicyDiff): DecisionDiff {
  const spots = spotsOf(ground, changedIds(diff))
  const budget = Math.max(1, Math.floor(ground.budget / Math.max(1, spots.length)))
  const changes = new Map<string, Counted>()
  const notVaried = new Set<string>()
  const tally = { requests: 0, exhaustive: true }
  for (const spot of spots) {
    const { variables, complete, opaque } = spot.variables
    for (const path of opaque) notVaried.add(path)
    const tour = tourOf(
      variables.map(({ samples }) => samples.length),
      budget,
    )
    tally.exhaustive &&= tour.exhaustive && complete && opaque.length === 0
    for (const point of tour.points) {
      tally.requests += 1
      compare(ground, spot, chosen(variables, point), changes)
    }
  }
  return {
    ...tally,
    notVaried: [...notVaried].toSorted(),
    changes: [...changes.values()].map(({ change }) => change).toSorted((a, b) => rank(a) - rank(b) || byPlace(a, b)),
  }
}

interface Spot {
  readonly neutral: PolicyRequest
  readonly variables: ReturnType<typeof variablesOf>
}

function changedIds({ added, removed, changed }: PolicyDiff): ReadonlySet<string> {
  return new Set([...added, ...removed, ...changed].map(({ id }) => id))
}

/** Where decisions may differ: an operation in a workflow that a changed policy reaches. */
function spotsOf(
  { before, after, schema, operations, workflows }: DecisionGround,
  changed: ReadonlySet<string>,
): readonly Spot[] {
  const policies = [...before.policies, ...after.policies]
  // An approval is one of a policy that asks.
  const approvals = policies.filter(({ outcome }) => outcome === 'ask').map(({ id }) => id)
  const words = { ...schema.words, approvals: [...new Set(approvals)].toSorted() }
  return workflows.flatMap((workflow) =>
    operations.flatMap((operation): readonly Spot[] => {
      const listed = workflow.operations.has(operation.id)
      if (!listed && !mayTakeBack(operation, operations)) return []
      const shot = { agent: workflow.agent, operation: operation.id, tool: operation.tool }
      const reaching = policies.filter(({ json }) => within(json, [shot]).length > 0)
      if (!reaching.some(({ id }) => changed.has(id))) return []
      const type = schema.arguments[operation.id]
      const facts = listed ? {} : { compensating: true }
      const neutral = requestOf({ workflow, operation, arguments: completeArguments(type, {}), facts }, schema.meters)
      const formulas = reaching.map(({ json }) => formulaOf(json))
      const { variables, ...rest } = variablesOf(formulas, neutral, words, type)
      return [{ neutral, variables: { ...rest, variables: variables.filter(({ path }) => listed || path !== 'compensating') } }]
    }),
  )
}

/**
 * An operation that a workflow does not list may still be called there to take back another one of its tool. Which one takes back what
 * is known only of a call, so that each counts: as what takes back, and never as an action of its own.
 */
function mayTakeBack({ tool }: Operation, operations: readonly Operation[]): boolean {
  return operations.some((other) => other.tool === tool && other.compensation !== undefined)
}

type Choices = readonly (readonly [path: string, sample: Sample])[]

function chosen(variables: readonly Variable[], point: readonly number[]): Choices {
  return variables.flatMap(({ path, samples }, i) => {
    const sample = samples[point[i] ?? 0]
    return sample === undefined ? [] : [[path, sample] as const]
  })
}

interface Counted {
  readonly change: DecisionChange
  readonly size: number
}

function compare(ground: DecisionGround, { neutral }: Spot, choices: Choices, changes: Map<string, Counted>): void {
  const request = choices.reduce((made, [path, sample]) => withFact(made, path, sample), neutral)
  const [before, after] = [ground.before, ground.after].map((engine) => resolveVerdict(engine.evaluate(request), engine.version))
  if (before === undefined || after === undefined) return
  const [approversBefore, approversAfter] = [writeApprovers(before.approvers), writeApprovers(after.approvers)]
  if (before.outcome === after.outcome && approversBefore === approversAfter) return
  const { workflow, operation } = request
  const key = [workflow, operation, before.outcome, after.outcome, approversBefore, approversAfter].join('\n')
  const known = changes.get(key)
  if (known !== undefined && known.size <= choices.length) {
    changes.set(key, { size: known.size, change: { ...known.change, requests: known.change.requests + 1 } })
    return
  }
  const example = exampleOf(choices, before, after)
  const requests = (known?.change.requests ?? 0) + 1
  const outcomes = { before: before.outcome, after: after.outcome }
  changes.set(key, {
    size: choices.length,
    change: { workflow, operation, ...outcomes, approversBefore, approversAfter, requests, example },
  })
}

function exampleOf(choices: Choices, before: Decision, after: Decision): ChangeExample {
  return {
    facts: Object.fromEntries(choices.map(([path, sample]) => [path, writeFact(path, valueOf(sample))])),
    policiesBefore: before.policies.map(({ id }) => id),
    policiesAfter: after.policies.map(({ id }) => id),
  }
}

/** A time is written as people write it. */
function writeFact(path: string, value: Json | undefined): Json {
  return path === 'now' && typeof value === 'number' ? new Date(value).toISOString() : (value ?? null)
}

const STRICTNESS: Readonly<Record<Outcome, number>> = { allow: 0, dry_run: 1, ask: 2, deny: 3 }

/** What was not allowed and is now; then the largest loosening; then the largest tightening. */
function rank({ before, after }: DecisionChange): number {
  const step = STRICTNESS[after] - STRICTNESS[before]
  return after === 'allow' && before !== 'allow' ? -10 - STRICTNESS[before] : step <= 0 ? step : 10 - step
}

function byPlace(a: DecisionChange, b: DecisionChange): number {
  return `${a.workflow} ${a.operation}` < `${b.workflow} ${b.operation}` ? -1 : 1
}
