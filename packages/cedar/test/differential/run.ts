import { type Chance, createChance } from '@tidegate/testkit'
import { askCedar, askOurs, parseSources, prepareCedar, prepareOurs, WAYS } from './compare.ts'
import { drawWorld, type World } from './generate-world.ts'
import { drawProbes } from './probe.ts'
import { partsOf, type Tree } from './tree.ts'
import { describe, type Disagreement, isSame, shrink } from './shrink.ts'

export interface RunOptions {
  readonly seed: number
  /** Pairs of a set of policies and a request, asked of both sides. */
  readonly pairs: number
  /** Stop after so many disagreements. */
  readonly maxDisagreements?: number
  readonly onProgress?: (done: number, disagreements: number) => void
}

export interface RunReport {
  readonly pairs: number
  readonly allowed: number
  /** Failures by kind. */
  readonly failures: ReadonlyMap<string, number>
  /** Operators and functions by how often a policy had them. */
  readonly operators: ReadonlyMap<string, number>
  /** Each shrunk and printed. */
  readonly disagreements: readonly string[]
}

const POLICIES = 4
const PROBES = 8
const REQUESTS = 25
/** One name for all: Cedar has no way to unload a set, only to load another over it. */
const NAME = 'differential'

/** Draws worlds from a seed and asks both sides the same; one seed is one run. */
export function runDifferential({ seed, pairs, maxDisagreements = 5, onProgress }: RunOptions): RunReport {
  const chance = createChance(seed)
  const tally: Tally = { pairs: 0, allowed: 0, failures: new Map(), operators: new Map(), disagreements: [] }
  while (tally.pairs < pairs && tally.disagreements.length < maxDisagreements) {
    const world = withProbes(chance, drawWorld(chance.fork(), { policies: POLICIES, requests: REQUESTS }))
    for (const { clauses } of world.policies) for (const { body } of clauses) countOperators(body, tally.operators)
    for (const found of askAbout(world, tally)) tally.disagreements.push(describe(shrink(found)))
    onProgress?.(tally.pairs, tally.disagreements.length)
  }
  return tally
}

/** Adds probes for the first request; for the others they are policies like any. */
function withProbes(chance: Chance, world: World): World {
  const [request] = world.requests
  const [way] = WAYS
  if (request === undefined || way === undefined) return world
  const probes = drawProbes(chance.fork(), PROBES, prepareOurs(world, [], way), request)
  return { ...world, policies: [...world.policies, ...probes] }
}

interface Tally {
  pairs: number
  allowed: number
  readonly failures: Map<string, number>
  readonly operators: Map<string, number>
  readonly disagreements: string[]
}

/** Asks everything in the world, in both ways; at most one disagreement is reported. */
function askAbout(world: World, tally: Tally): readonly Disagreement[] {
  prepareCedar(NAME, world.policies)
  const sources = parseSources(world.policies)
  const sides = WAYS.map((way) => ({ way, ours: prepareOurs(world, sources, way) }))
  for (const request of world.requests) {
    const wanted = askCedar(NAME, world.entities, request)
    tally.pairs += 1
    if (wanted.decision === 'allow') tally.allowed += 1
    for (const { way, ours } of sides) {
      const said = askOurs(ours, request, way)
      for (const kind of said.kinds) add(tally.failures, kind)
      if (!isSame(wanted, said)) return [{ world, request, way }]
    }
  }
  return []
}

function countOperators(tree: Tree, counts: Map<string, number>): void {
  add(counts, Object.keys(tree)[0] ?? '')
  for (const part of partsOf(tree)) countOperators(part, counts)
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
