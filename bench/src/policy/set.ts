import type { DataClass, Mutability, Outcome, RiskClass } from '@tidegate/kernel'

/** The words of one rule that every engine is given in its own language: `agent` calls `tool` with an amount over `over`. */
export interface ScopedRule {
  readonly id: string
  readonly agent: string
  readonly tool: string
  readonly over: number
  readonly outcome: Exclude<Outcome, 'allow'>
}

/** Six rules for everybody, which are the same in every set, and scoped rules: together `size`. */
export interface PolicySet {
  readonly size: number
  /** What each agent may see: the first global rule denies the rest. */
  readonly clearances: ReadonlyMap<string, readonly DataClass[]>
  readonly scoped: readonly ScopedRule[]
}

/** The facts of one action, before an engine is given them in its own shape. */
export interface PolicyQuestion {
  readonly agent: string
  readonly tool: string
  readonly dataClass: DataClass
  /** Those of the agent: a fact of the request in Cedar, of the set in the engines that have data of their own. */
  readonly clearances: readonly DataClass[]
  readonly environment: 'production' | 'staging'
  readonly risk: RiskClass
  /** 0 to 10,000. */
  readonly confidence: number
  readonly mutability: Mutability
  readonly reversible: boolean
  readonly callsPerHour: number
  readonly amount: number
}

/** The global rules, in words: `reference.ts` has them in TypeScript, `cedar-text.ts` in Cedar, bench/peers in the other languages. */
export const GLOBAL_RULES = {
  'not-cleared': { outcome: 'deny', reason: 'the agent is not cleared for data of this class' },
  'critical-risk': { outcome: 'deny', reason: 'critical risk' },
  'high-risk-production': { outcome: 'ask', reason: 'high risk in production' },
  'low-confidence': { outcome: 'dry_run', reason: 'confidence below 0.9' },
  'no-way-back': { outcome: 'ask', reason: 'a write that cannot be put back' },
  'too-many-calls': { outcome: 'deny', reason: 'too many calls in this hour' },
} as const satisfies Record<string, { outcome: Exclude<Outcome, 'allow'>; reason: string }>

export const LEAST_CONFIDENCE = 9_000
export const MOST_CALLS_PER_HOUR = 100

const AGENTS = 100
const TOOLS = 50
const CLASSES = ['public', 'internal', 'customer', 'regulated', 'secret'] as const
const SCOPED_OUTCOMES = ['deny', 'ask', 'dry_run'] as const
const MOST_AMOUNT = 10_000

/** Creates the set of `size` policies, 6 at least: always the same one for a size. */
export function createPolicySet(size: number): PolicySet {
  const random = createRandom(size)
  const clearances = new Map(agentNames().map((agent) => [agent, CLASSES.filter((_, index) => index < 2 || random() < 0.8)]))
  const scoped = Array.from(
    { length: size - Object.keys(GLOBAL_RULES).length },
    (_, index): ScopedRule => ({
      id: `scoped-${String(index).padStart(5, '0')}`,
      agent: pick(agentNames(), random),
      tool: pick(toolNames(), random),
      over: Math.floor(random() * MOST_AMOUNT),
      outcome: pick(SCOPED_OUTCOMES, random),
    }),
  )
  return { size, clearances, scoped }
}

/** Creates `count` random requests, the same for every engine; half of them are about an agent and a tool that a scoped rule names. */
export function createQuestions(set: PolicySet, count: number): readonly PolicyQuestion[] {
  const random = createRandom(set.size + 1)
  return Array.from({ length: count }, (): PolicyQuestion => {
    const named = random() < 0.5 && set.scoped.length > 0 ? pick(set.scoped, random) : undefined
    const agent = named?.agent ?? pick(agentNames(), random)
    return {
      agent,
      tool: named?.tool ?? pick(toolNames(), random),
      dataClass: CLASSES[Math.floor(random() ** 2 * CLASSES.length)] ?? 'public',
      clearances: set.clearances.get(agent) ?? [],
      environment: random() < 0.5 ? 'production' : 'staging',
      risk: random() < 0.03 ? 'critical' : random() < 0.2 ? 'high' : random() < 0.5 ? 'medium' : 'low',
      confidence: random() < 0.12 ? Math.floor(random() * LEAST_CONFIDENCE) : LEAST_CONFIDENCE + Math.floor(random() * 1_001),
      mutability: random() < 0.5 ? 'write' : 'read',
      reversible: random() < 0.9,
      callsPerHour: random() < 0.03 ? MOST_CALLS_PER_HOUR + 1 : Math.floor(random() * (MOST_CALLS_PER_HOUR + 1)),
      amount: Math.floor(random() * MOST_AMOUNT),
    }
  })
}

/** All agents there are, whether a rule names them or not. */
export function agentNames(): readonly string[] {
  return AGENT_NAMES
}

/** All tools there are. */
export function toolNames(): readonly string[] {
  return TOOL_NAMES
}

const AGENT_NAMES = Array.from({ length: AGENTS }, (_, index) => `agent-${String(index).padStart(2, '0')}`)
const TOOL_NAMES = Array.from({ length: TOOLS }, (_, index) => `tool${String(index).padStart(2, '0')}`)

function pick<T>(list: readonly T[], random: () => number): T {
  const item = list[Math.floor(random() * list.length)]
  if (item === undefined) throw new RangeError('nothing to pick from')
  return item
}

/** A 32-bit xorshift generator, 0 <= x < 1: the same numbers on every machine. */
function createRandom(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 2 ** 32
  }
}
