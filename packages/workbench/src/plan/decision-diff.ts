import { type Decision, type Json, type Outcome, type PolicyDiff, resolveVerdict, writeApprovers } from '@tidegate/kernel'
import { tourOf } from './combinations.ts'
import { rawValue, withFact } from './fact-path.ts'
import { type Choices, chosen, type Spot, type SpotGround, spotsOf } from './spots.ts'

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
  /** Requests that were decided under both: of those on which a changed policy says something else. */
  readonly requests: number
  /** True when they stand for all of these; false when they are a sample. */
  readonly exhaustive: boolean
  /** Attributes that policies ask about in ways that are not varied. */
  readonly notVaried: readonly string[]
  /** What is allowed now and was not comes first, then what else is looser, then what is stricter. */
  readonly changes: readonly DecisionChange[]
}

/** What is decided under both sets. */
export interface DecisionGround extends SpotGround {
  /** Requests to decide in all. */
  readonly budget: number
}

/**
 * Decides requests under two sets of policies and says which outcomes change.
 *
 * The requests are those that can be made, each operation that a workflow may use as both are declared, and on which a changed policy
 * says something else than before; all others are decided as before. The facts are varied that the policies in reach ask about, by
 * values that answer each question in every way. Deterministic.
 */
export function diffDecisions(ground: DecisionGround, diff: PolicyDiff): DecisionDiff {
  const spots = spotsOf(ground, diff)
  const changes = new Map<string, Counted>()
  const tally = { requests: 0, exhaustive: true }
  for (const [i, spot] of spots.entries()) {
    const { seeds, variables, complete } = spot
    // What one spot leaves of its share is for those that follow.
    const share = Math.max(1, Math.floor((ground.budget - tally.requests) / (spots.length - i)))
    const tour = tourOf([seeds.length, ...variables.map(({ samples }) => samples.length)], share)
    tally.exhaustive &&= tour.exhaustive && complete
    for (const [seed = 0, ...point] of tour.points) {
      tally.requests += 1
      compare(ground, spot, [...(seeds[seed] ?? []), ...chosen(variables, point)], changes)
    }
  }
  return {
    ...tally,
    notVaried: [...new Set(spots.flatMap(({ opaque }) => opaque))].toSorted(),
    changes: [...changes.values()].map(({ change }) => change).toSorted((a, b) => rank(a) - rank(b) || byPlace(a, b)),
  }
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
    facts: Object.fromEntries(choices.map(([path, sample]) => [path, writeFact(path, rawValue(sample))])),
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
