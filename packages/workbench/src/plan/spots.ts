import type { CedarEngine, CedarSchema, LoadedPolicy } from '@tidegate/cedar'
import type { Operation, PolicyDiff, PolicyRequest, Workflow } from '@tidegate/kernel'
import type { Sample } from '../condition/answers.ts'
import { type Formula, formulaOf, leavesOf } from '../condition/formula.ts'
import { holds } from '../condition/holds.ts'
import { within } from '../condition/scope.ts'
import { completeArguments } from '../request/example-arguments.ts'
import { requestOf } from '../request/facts.ts'
import { tourOf } from './combinations.ts'
import { factAt } from './fact-path.ts'
import { sampleOf, type Variable, variablesOf } from './variables.ts'

/** What is different about a request than about the neutral one. */
export type Choices = readonly (readonly [path: string, sample: Sample])[]

/** An operation in a workflow on which a changed policy may say something else. */
export interface Spot {
  readonly neutral: PolicyRequest
  /** What makes a changed policy say something else, as far as only changed policies ask about it. Never empty. */
  readonly seeds: readonly Choices[]
  /** What the other policies ask about. */
  readonly variables: readonly Variable[]
  /** False when seeds and variables do not stand for every request. */
  readonly complete: boolean
  /** Attributes that policies compute with. */
  readonly opaque: readonly string[]
}

/** Where decisions are compared. */
export interface SpotGround {
  readonly before: CedarEngine
  readonly after: CedarEngine
  readonly schema: CedarSchema
  readonly operations: readonly Operation[]
  readonly workflows: readonly Workflow[]
}

/** Combinations of what changed policies ask about that are looked through for one spot. */
const MAX_SEEDS = 50_000

/** Every spot at which a decision may differ: elsewhere the same policies match before and after. */
export function spotsOf(ground: SpotGround, diff: PolicyDiff): readonly Spot[] {
  const { before, after, operations, workflows } = ground
  const shifts = shiftsOf(diff, before.policies, after.policies)
  return workflows.flatMap((workflow) =>
    operations.flatMap((operation): readonly Spot[] => {
      const listed = workflow.operations.has(operation.id)
      if (!listed && !mayTakeBack(operation, operations)) return []
      const args = completeArguments(ground.schema.arguments[operation.id], {})
      const facts = listed ? {} : { compensating: true }
      const neutral = requestOf({ workflow, operation, arguments: args, facts }, ground.schema.meters)
      const spot = spotAt(ground, shifts, neutral)
      return spot === undefined ? [] : [spot]
    }),
  )
}

/** Which choices a point of a tour stands for. */
export function chosen(variables: readonly Variable[], point: readonly number[]): Choices {
  return variables.flatMap(({ path, samples }, i) => {
    const sample = samples[point[i] ?? 0]
    return sample === undefined ? [] : [[path, sample] as const]
  })
}

/**
 * An operation that a workflow does not list may still be called there to take back another one of its tool. Which one takes back what
 * is known only of a call, so that each counts: as what takes back, and never as an action of its own.
 */
function mayTakeBack({ tool }: Operation, operations: readonly Operation[]): boolean {
  return operations.some((other) => other.tool === tool && other.compensation !== undefined)
}

function spotAt({ before, after, schema }: SpotGround, shifts: readonly Shift[], neutral: PolicyRequest): Spot | undefined {
  const reaches = ({ json }: LoadedPolicy): boolean => within(json, [neutral]).length > 0
  const local = shifts
    .map((shift) => narrowed(shift, reaches))
    .filter(({ before: old, after: fresh }) => old !== undefined || fresh !== undefined)
  if (local.length === 0) return undefined
  const policies = [...before.policies, ...after.policies]
  // An approval is one of a policy that asks.
  const asking = policies.filter(({ outcome }) => outcome === 'ask').map(({ id }) => id)
  const words = { ...schema.words, approvals: [...new Set(asking)].toSorted() }
  const formulas = policies.filter(reaches).map(({ json }) => formulaOf(json))
  const found = variablesOf(formulas, neutral, words, schema.arguments[neutral.operation])
  // What is there to take back something is never called otherwise.
  const varied = found.variables.filter(({ path }) => path !== 'compensating' || !neutral.context.compensating)
  const decisive = new Set(local.flatMap(({ before: old, after: fresh }) => [old, fresh]).flatMap(pathsOf))
  const [seeding, variables] = [varied.filter(({ path }) => decisive.has(path)), varied.filter(({ path }) => !decisive.has(path))]
  const sizes = seeding.map(({ samples }) => samples.length)
  const tour = tourOf(sizes, MAX_SEEDS)
  const seeds = [...tour.points]
    .map((point) => chosen(seeding, point))
    .filter((choices) => local.some((shift) => shifted(shift, neutral, choices)))
  if (seeds.length === 0) return undefined
  const { complete, opaque } = found
  return { neutral, seeds, variables, complete: tour.exhaustive && complete && opaque.length === 0, opaque }
}

/** One changed policy, before and after; undefined where it is not there. */
interface Shift {
  readonly before: Side | undefined
  readonly after: Side | undefined
  /** Whether it says the same when it matches. */
  readonly sameAnswer: boolean
}

interface Side {
  readonly policy: LoadedPolicy
  readonly formula: Formula
}

/** The changed policies. One of which only the reason changed decides as before. */
function shiftsOf(
  { added, removed, changed }: PolicyDiff,
  before: readonly LoadedPolicy[],
  after: readonly LoadedPolicy[],
): readonly Shift[] {
  const side = (policies: readonly LoadedPolicy[], id: string): Side | undefined => {
    const policy = policies.find((each) => each.id === id)
    return policy === undefined ? undefined : { policy, formula: formulaOf(policy.json) }
  }
  const decisive = changed.filter(({ changes }) => changes.some(({ aspect }) => aspect !== 'reason'))
  return [
    ...[...added, ...removed].map(({ id }) => ({ before: side(before, id), after: side(after, id), sameAnswer: false })),
    ...decisive.map(({ id, changes }) => {
      const sameAnswer = changes.every(({ aspect }) => aspect === 'scope' || aspect === 'condition' || aspect === 'reason')
      return { before: side(before, id), after: side(after, id), sameAnswer }
    }),
  ]
}

function narrowed({ before, after, sameAnswer }: Shift, reaches: (policy: LoadedPolicy) => boolean): Shift {
  const keep = (side: Side | undefined): Side | undefined => (side !== undefined && reaches(side.policy) ? side : undefined)
  return { before: keep(before), after: keep(after), sameAnswer }
}

function pathsOf(side: Side | undefined): readonly string[] {
  return side === undefined ? [] : leavesOf(side.formula).flatMap((leaf) => (leaf.kind === 'test' ? [leaf.path] : []))
}

/** Whether a changed policy may say something else about a request: one that cannot be told may. */
function shifted({ before, after, sameAnswer }: Shift, neutral: PolicyRequest, choices: Choices): boolean {
  const picked = new Map(choices)
  const sampleAt = (path: string): Sample | undefined => picked.get(path) ?? sampleOf(factAt(neutral, path))
  const matches = (side: Side | undefined) => (side === undefined ? false : holds(side.formula, sampleAt, () => undefined))
  const [old, fresh] = [matches(before), matches(after)]
  if (old === undefined || fresh === undefined) return true
  return sameAnswer ? old !== fresh : old || fresh
}
