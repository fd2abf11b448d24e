import type { AllowedOperation, Meter, StopScope, Workflow } from '@tidegate/kernel'
import { type Chance, createChance } from '@tidegate/testkit'
import { askingMore, declassify, type Declassifying, drawDeclassifying } from './declassify.ts'
import { coveringHosts, drawHosts, happeningsOf, type HostPlan } from './hosts.ts'
import { drawMeters } from './limits.ts'
import { PLANNER_KINDS, type PlannerKind } from './planners.ts'
import { drawPolicy, type PolicyPlan } from './policies.ts'

/** How much goes wrong: each number is "once in so many"; 0 is never. */
export interface Weather {
  readonly hazard: number
  readonly look: number
  readonly store: number
  readonly crash: number
  /** The longest time that an append, an answer or a look takes. */
  readonly delayMs: number
}

export interface WorkflowPlan {
  readonly workflow: Workflow
  readonly planner: PlannerKind
  readonly goals: readonly string[]
  /** Whether the planner says that it answers at once, so that the harness waits with its records. */
  readonly immediate: boolean
}

export interface TriggerPlan {
  readonly workflow: string
  readonly source: string
  readonly event: string
  readonly input: { readonly id: string; readonly amount: number }
  readonly deliveries: readonly number[]
}

/** Something that people, machines or nature do at a time. */
export type Happening =
  | { readonly kind: 'vote' | 'undo' | 'resolve' | 'meddle' | 'restart' | 'deploy'; readonly atMs: number }
  | { readonly kind: 'stop'; readonly atMs: number; readonly scope: StopScope | 'run'; readonly mode: 'hold' | 'kill' }
  | { readonly kind: 'lift'; readonly atMs: number }
  | { readonly kind: 'jump'; readonly atMs: number; readonly byMs: number }

/** Everything that a seed decides beforehand. */
export interface Scenario {
  readonly seed: number
  readonly weather: Weather
  readonly workflows: readonly WorkflowPlan[]
  readonly triggers: readonly TriggerPlan[]
  readonly policies: readonly PolicyPlan[]
  /** What is counted, with its limits; none in most seeds. */
  readonly meters: readonly Meter[]
  /** What people may let pass besides single calls; nothing in most seeds. */
  readonly declassifying: Declassifying
  /** Agents that are not ours, and what they want; none in most seeds. */
  readonly hosts: readonly HostPlan[]
  readonly happenings: readonly Happening[]
  /** After this nothing bad happens any more, and everything must come to rest. */
  readonly quietMs: number
  readonly liftAtEnd: boolean
}

const GOALS = [
  'desk.read',
  'desk.set',
  'desk.refund',
  'desk.slow',
  'desk.credit',
  'desk.export',
  'mail.send',
  'mail.post',
] as const
const WEATHERS: readonly Weather[] = [
  { hazard: 0, look: 0, store: 0, crash: 0, delayMs: 0 },
  { hazard: 12, look: 15, store: 0, crash: 0, delayMs: 40 },
  { hazard: 5, look: 6, store: 120, crash: 60, delayMs: 300 },
  { hazard: 3, look: 3, store: 60, crash: 25, delayMs: 900 },
  { hazard: 2, look: 2, store: 0, crash: 150, delayMs: 100 },
  { hazard: 4, look: 0, store: 90, crash: 40, delayMs: 600 },
]

/** Draws the scenario of a seed. */
export function drawScenario(seed: number): Scenario {
  const chance = createChance(seed * 7_919 + 17)
  const quietMs = 120_000
  const declassifying = drawDeclassifying(seed)
  const workflows = ['w0', 'w1', 'w2'].map((name) => declassify(drawWorkflow(chance, name), declassifying))
  const meters = drawMeters(seed)
  const hosts = drawHosts(seed)
  return {
    seed,
    weather: chance.pick(WEATHERS),
    workflows,
    triggers: [
      ...Array.from({ length: 2 + chance.below(4) }, (_, n) => drawTrigger(chance, n)),
      ...(meters.length === 0 ? [] : drawRush(seed)),
    ],
    policies: ['p1', 'p2', 'p3'].map((version) => coveringHosts(askingMore(drawPolicy(chance, version), declassifying), seed)),
    meters,
    declassifying,
    hosts,
    happenings: [...drawHappenings(chance, quietMs), ...happeningsOf(hosts, seed)],
    quietMs,
    liftAtEnd: chance.oneIn(2),
  }
}

function drawWorkflow(chance: Chance, name: string): WorkflowPlan {
  const goals = Array.from({ length: 1 + chance.below(4) }, () => chance.pick(GOALS))
  const planner = chance.oneIn(2) ? 'honest' : chance.pick(PLANNER_KINDS)
  const allowed: AllowedOperation = { confine: chance.oneIn(2) ? { '/id': '$input/id' } : {} }
  const operations = new Map([...new Set([...goals, 'desk.read'])].map((id): [string, AllowedOperation] => [id, allowed]))
  const flags = goals
    .filter((goal) => goal !== 'desk.read')
    .map((goal): [string, boolean] => [`/${goal.replace('.', '-')}`, true])
  const workflow: Workflow = {
    name,
    version: `${name}/1`,
    title: name,
    agent: chance.pick(['agent-a', 'agent-b']),
    owners: { model: 'm', permissions: 'p', workflow: 'w', incidents: 'i' },
    environment: 'simulation',
    stage: 4,
    operations,
    limits: {
      steps: 12,
      wallMs: 600_000,
      tokens: 1_000,
      costMicros: 1_000,
      repeats: 1 + chance.below(3),
      approvalMs: chance.pick([15_000, 40_000]),
    },
    inputOrigins: {},
    success: { operation: 'desk.read', arguments: { id: '$input/id' }, expect: Object.fromEntries(flags) },
    onFailure: chance.oneIn(5) ? 'keep' : 'undo',
  }
  return { workflow, planner, goals, immediate: chance.oneIn(2) }
}

function drawTrigger(chance: Chance, n: number): TriggerPlan {
  const deliveries = Array.from({ length: 1 + chance.below(3) }, () => chance.below(30_000))
  const id = chance.oneIn(4) ? 'rec-0' : `rec-${n + 1}`
  return {
    workflow: chance.pick(['w0', 'w1', 'w2']),
    source: chance.pick(['mail', 'desk']),
    event: `e${n}`,
    input: { id, amount: chance.below(1_000) },
    deliveries,
  }
}

/** Several runs at once about one record: whatever is limited, they want it in the same moment. */
function drawRush(seed: number): readonly TriggerPlan[] {
  const chance = createChance(seed * 32_452_843 + 7)
  if (chance.oneIn(2)) return []
  const atMs = chance.below(20_000)
  const workflow = chance.pick(['w0', 'w1', 'w2'])
  return Array.from({ length: 3 }, (_, n) => ({
    ...{ workflow, source: 'rush', event: `r${n}`, deliveries: [atMs] },
    input: { id: 'rec-rush', amount: chance.below(1_000) },
  }))
}

function drawHappenings(chance: Chance, quietMs: number): readonly Happening[] {
  const at = (): number => chance.below(quietMs)
  const some = (count: number): readonly number[] => Array.from({ length: count }, at)
  const scopes = [
    'global',
    'agent:agent-a',
    'agent:agent-b',
    'workflow:w0',
    'workflow:w1',
    'tool:desk',
    'tool:mail',
    'run',
  ] as const
  const stops = some(chance.below(3)).map(
    (atMs): Happening => ({ kind: 'stop', atMs, scope: chance.pick(scopes), mode: chance.oneIn(3) ? 'kill' : 'hold' }),
  )
  const jumps = some(chance.oneIn(3) ? 1 + chance.below(2) : 0).map(
    (atMs): Happening => ({
      kind: 'jump',
      atMs,
      byMs: (chance.oneIn(2) ? 1 : -1) * chance.pick([700, 9_000, 60_000, 7_200_000]),
    }),
  )
  const plain = (
    kind: 'vote' | 'undo' | 'resolve' | 'meddle' | 'restart' | 'deploy' | 'lift',
    count: number,
  ): readonly Happening[] => some(count).map((atMs) => ({ kind, atMs }))
  return [
    ...stops,
    ...jumps,
    ...plain('vote', 4 + chance.below(10)),
    ...plain('undo', chance.below(4)),
    ...plain('resolve', chance.below(2)),
    ...plain('meddle', chance.below(4)),
    ...plain('restart', chance.below(2)),
    ...plain('deploy', chance.oneIn(3) ? 1 : 0),
    ...plain('lift', stops.length),
  ].toSorted((a, b) => a.atMs - b.atMs)
}
