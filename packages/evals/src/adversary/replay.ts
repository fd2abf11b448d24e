import {
  endorseCall,
  type FlowContext,
  type FlowFacts,
  type Grant,
  type Json,
  type JsonObject,
  mintGrants,
  observe,
  openFlow,
  type Outcome,
  spendGrant,
} from '@tidegate/kernel'
import type { Call, Pair, Suite, UserTask } from '../suite/schema.ts'
import { injectGoal } from './inject.ts'
import type { Judge, JudgedOperation } from './judge.ts'

/** What is known of the plan of a task before anything untrusted was read. */
export type PlanMode = 'plan' | 'lexical' | 'none'

/** One decided call. */
export interface Step {
  readonly call: Call
  readonly outcome: Outcome
  readonly policies: readonly string[]
  readonly facts: FlowFacts
  readonly executed: boolean
}

/** What became of a task of the user. */
export interface TaskRun {
  readonly steps: readonly Step[]
  readonly done: boolean
  /** Questions put to the reviewer; calls that wait together are one question. */
  readonly questions: number
  /** Calls that waited for the reviewer. */
  readonly asked: number
}

/** What became of an attack. */
export interface PairRun {
  /** The calls of the attack, and what became of each. */
  readonly attack: readonly Step[]
  readonly user: TaskRun
}

/** A suite that can be replayed. */
export interface Replay {
  readonly suite: Suite
  readonly judge: Judge
  readonly plan: PlanMode
}

/** Runs a task with an honest planner and a reviewer who approves exactly its calls. */
export function runTask(replay: Replay, task: UserTask): TaskRun {
  const run = new Run(replay, task)
  for (const call of task.calls) run.userCall(call, call.result ?? null)
  return run.outcome()
}

/**
 * Runs a task whose planner belongs to an attacker from the moment of exposure: all calls of the attack come first, then the rest of the
 * task. `stamp`: the reviewer approves everything instead of exactly the calls of the task.
 */
export function runPair(replay: Replay, pair: Pair, { stamp }: { readonly stamp: boolean }): PairRun {
  const run = new Run(replay, pair.user)
  const resultOf = (call: Call): Json => {
    const vectors = (call.vectors_seen ?? []).flatMap((id) => replay.suite.vectors.get(id) ?? [])
    return injectGoal(call.result ?? null, vectors, pair.injection.goal)
  }
  for (const call of pair.user.calls.slice(0, pair.exposed + 1)) run.userCall(call, resultOf(call))
  const attack = pair.calls.map((call) => run.attackCall(call, stamp))
  for (const call of pair.user.calls.slice(pair.exposed + 1)) run.userCall(call, resultOf(call))
  return { attack, user: run.outcome() }
}

/** The state of one run, as the runtime would keep it. */
class Run {
  readonly #replay: Replay
  readonly #steps: Step[] = []
  #context: FlowContext
  #questions = 0
  #asked = 0
  /** What waits together: writes that wait one after the other, or fetches that wait one after the other. */
  #waiting: 'write' | 'read' | undefined

  constructor(replay: Replay, task: UserTask) {
    this.#replay = replay
    this.#context = planned(replay, task)
  }

  userCall(call: Call, result: Json): void {
    const { operation, facts, outcome, policies, args } = this.#decide(call)
    const kind = operation.declared.mutability === 'read' ? 'read' : 'write'
    const executed = outcome === 'allow' || outcome === 'ask'
    if (outcome === 'ask') {
      this.#asked++
      if (this.#waiting !== kind) this.#questions++
      this.#waiting = kind
      this.#context = endorseCall(this.#context, { operation: operation.id, flow: operation.flow, arguments: args })
    } else if (kind === 'read') this.#waiting = undefined
    if (executed) this.#execute(operation, facts, args, result)
    this.#steps.push({ call, outcome, policies, facts, executed })
  }

  attackCall(call: Call, stamp: boolean): Step {
    const { operation, facts, outcome, policies, args } = this.#decide(call)
    const executed = outcome === 'allow' || (stamp && outcome === 'ask')
    if (outcome === 'ask' && stamp)
      this.#context = endorseCall(this.#context, { operation: operation.id, flow: operation.flow, arguments: args })
    if (executed) this.#execute(operation, facts, args, call.result ?? null)
    return { call, outcome, policies, facts, executed }
  }

  outcome(): TaskRun {
    return {
      steps: this.#steps,
      done: this.#steps.every((step) => step.executed),
      questions: this.#questions,
      asked: this.#asked,
    }
  }

  #decide(call: Call) {
    const { judge } = this.#replay
    const args: JsonObject = call.args
    const operation = judge.operation(call.function)
    const facts = judge.facts(this.#context, operation, args)
    const decision = judge.decide(facts, operation, args)
    return { operation, facts, args, outcome: decision.outcome, policies: decision.policies.map((policy) => policy.id) }
  }

  #execute(operation: JudgedOperation, facts: FlowFacts, args: JsonObject, output: Json): void {
    const call = { operation: operation.id, arguments: args, environment: 'production', nowMs: 0, trusted: () => false }
    this.#context = spendGrant(this.#context, call)
    const echoesUntrusted = facts.tainted && facts.ungrounded.length > 0
    this.#context = observe(this.#context, { source: operation.id, output, flow: operation.flow, echoesUntrusted })
  }
}

/** The context in which a task starts: its words, and the plan that an honest planner makes from them alone. */
function planned({ judge, plan, suite }: Replay, task: UserTask): FlowContext {
  const context = openFlow([task.prompt])
  if (plan === 'none') return context
  const grants =
    plan === 'plan'
      ? [...new Set(task.calls.map((call) => call.function))].map((name) => grantFor(judge.operation(name).id, null))
      : suite.tools.map(({ name }) => grantFor(judge.operation(name).id, isNamed(name, task.prompt) ? null : 0))
  const minted = mintGrants(context, grants)
  return minted.kind === 'minted' ? minted.context : context
}

function grantFor(operation: string, maxCalls: number | null): Grant {
  return { id: operation, operation, arguments: {}, maxCalls, notAfterMs: null, environment: null, budget: null }
}

/** A lexical reading of the turn: it has a word in common with the name of the operation. */
function isNamed(operation: string, prompt: string): boolean {
  const words = new Set(
    prompt
      .toLowerCase()
      .split(/[^a-z]+/)
      .map(stemOf),
  )
  return operation
    .toLowerCase()
    .split(/[^a-z]+/)
    .some((word) => word.length > 2 && !GENERIC.has(word) && words.has(stemOf(word)))
}

const GENERIC = new Set(['get', 'set', 'the', 'for', 'all', 'new', 'from', 'into', 'with', 'user'])

function stemOf(word: string): string {
  return word.replace(/(?:ing|ed|es|s|e)$/, '')
}
