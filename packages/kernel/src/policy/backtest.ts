import type { PolicyEngine } from '../ports/policy-engine.ts'
import {
  type ApproverRule,
  type Decision,
  type Outcome,
  type PolicyRequest,
  type PolicyVerdict,
  resolveVerdict,
} from './decision.ts'

/** A decision that policy made in the past, with the question it was asked then. */
export interface PastDecision {
  readonly run: string
  readonly action: number
  readonly atMs: number
  readonly outcome: Outcome
  /** Ids of the policies that determined it. */
  readonly policies: readonly string[]
  readonly approvers: readonly ApproverRule[]
  readonly request: PolicyRequest
}

/** Why a recorded decision could not be decided again. */
export type Undecidable = 'erased' | 'unrecorded' | 'undeclared'

/** Past decisions that would come out otherwise in the same way. */
export interface BacktestGroup {
  readonly from: Outcome
  readonly to: Outcome
  readonly operation: string
  /** The policies that would decide now, and those that did. */
  readonly policies: readonly string[]
  readonly were: readonly string[]
  /** True when both ask, but other people. */
  readonly otherApprovers: boolean
  readonly count: number
  /** The first few, in the order in which they were given. */
  readonly examples: readonly { readonly run: string; readonly action: number; readonly atMs: number }[]
}

/** What a set of policies would have decided about the past. */
export interface BacktestReport {
  readonly version: string
  /** Decisions that were decided again, and how many of them would come out otherwise. */
  readonly decided: number
  readonly changed: number
  /** What would be let through that was not: the first thing to look at. */
  readonly loosened: number
  /** `erased` counts runs whose content is gone; the others count decisions. */
  readonly undecidable: Readonly<Record<Undecidable, number>>
  /** What is let through that was denied comes first, then what was asked, then what was only tried out, then the rest. */
  readonly groups: readonly BacktestGroup[]
  /** Groups that the limit left out. */
  readonly groupsLeftOut: number
}

/** Decides the past again, one decision after the other. */
export interface Backtest {
  add(past: PastDecision): void
  skip(why: Undecidable, count?: number): void
  report(): BacktestReport
}

const MAX_GROUPS = 200
const MAX_EXAMPLES = 5
const SEVERITY: Readonly<Record<Outcome, number>> = { allow: 0, dry_run: 1, ask: 2, deny: 3 }

/** Starts a backtest of one engine. Performs no effect and keeps no argument: only ids and counts (I12). */
export function createBacktest(engine: PolicyEngine): Backtest {
  const groups = new Map<string, BacktestGroup>()
  const undecidable = { erased: 0, unrecorded: 0, undeclared: 0 }
  let decided = 0
  return {
    add(past) {
      decided += 1
      const now = redecide(engine, past.request)
      const otherApprovers = now.outcome === 'ask' && past.outcome === 'ask' && !sameApprovers(now.approvers, past.approvers)
      if (now.outcome === past.outcome && !otherApprovers) return
      note(groups, past, now, otherApprovers)
    },
    skip(why, count = 1) {
      undecidable[why] += count
    },
    report() {
      const all = [...groups.values()].toSorted(byWeight)
      const sum = (some: readonly BacktestGroup[]): number => some.reduce((count, group) => count + group.count, 0)
      return {
        version: engine.version,
        decided,
        changed: sum(all),
        loosened: sum(all.filter(({ from, to }) => SEVERITY[to] < SEVERITY[from])),
        undecidable: { ...undecidable },
        groups: all.slice(0, MAX_GROUPS),
        groupsLeftOut: Math.max(0, all.length - MAX_GROUPS),
      }
    },
  }
}

/**
 * Decides one past request again.
 *
 * A request that held approvals was asked about before: people said yes to the policies that asked then. Under other policies they
 * would have been asked by others, and the same people would have said yes to those. So their yes counts for whatever asks now.
 */
export function redecide(engine: PolicyEngine, request: PolicyRequest): Decision {
  if (request.context.approvals.length === 0) return resolveVerdict(evaluate(engine, request), engine.version)
  const unasked = { ...request, context: { ...request.context, approvals: [] } }
  const first = evaluate(engine, unasked)
  if (resolveVerdict(first, engine.version).outcome !== 'ask' || first.kind !== 'forbidden')
    return resolveVerdict(first, engine.version)
  const approvals = first.forbids.flatMap(({ id, outcome }) => (outcome === 'ask' ? [id] : []))
  return resolveVerdict(evaluate(engine, { ...request, context: { ...request.context, approvals } }), engine.version)
}

/** I6: an engine that breaks its contract and throws is a broken policy, and denies. */
function evaluate(engine: PolicyEngine, request: PolicyRequest): PolicyVerdict {
  try {
    return engine.evaluate(request)
  } catch {
    return { kind: 'broken', message: 'the policy engine failed' }
  }
}

function note(groups: Map<string, BacktestGroup>, past: PastDecision, now: Decision, otherApprovers: boolean): void {
  const { run, action, atMs, request } = past
  const policies = now.policies.map(({ id }) => id)
  const key = [past.outcome, now.outcome, request.operation, policies.join(), past.policies.join()].join(' ')
  const known = groups.get(key)
  const examples = known?.examples ?? []
  groups.set(key, {
    from: past.outcome,
    to: now.outcome,
    operation: request.operation,
    policies,
    were: past.policies,
    otherApprovers,
    count: (known?.count ?? 0) + 1,
    examples: examples.length < MAX_EXAMPLES ? [...examples, { run, action, atMs }] : examples,
  })
}

function sameApprovers(a: readonly ApproverRule[], b: readonly ApproverRule[]): boolean {
  return a.length === b.length && a.every((rule) => b.some(({ role, count }) => role === rule.role && count === rule.count))
}

/** What matters most first; the rest of the order makes the report the same every time. */
function byWeight(a: BacktestGroup, b: BacktestGroup): number {
  return weightOf(a) - weightOf(b) || b.count - a.count || (keyOf(a) < keyOf(b) ? -1 : 1)
}

const LET_THROUGH: readonly Outcome[] = ['deny', 'ask', 'dry_run']

function weightOf({ from, to, otherApprovers }: BacktestGroup): number {
  if (to === 'allow') return LET_THROUGH.indexOf(from)
  if (otherApprovers) return 4
  return SEVERITY[to] < SEVERITY[from] ? 3 : 5 + SEVERITY.deny - SEVERITY[to]
}

function keyOf({ operation, policies, were }: BacktestGroup): string {
  return `${operation} ${policies.join()} ${were.join()}`
}
