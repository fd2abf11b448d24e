import { askCedarOnce, askOurs, parseSources, prepareOurs, type Said, type Way } from './compare.ts'
import { type DrawnPolicy, type DrawnRequest, printPolicy, type World } from './generate-world.ts'
import { partsOf, type Tree, withPart } from './tree.ts'

/** A question that the two answer differently. */
export interface Disagreement {
  readonly world: Pick<World, 'policies' | 'entities'>
  readonly request: DrawnRequest
  readonly way: Way
}

/** How many smaller questions are tried. */
const MAX_TRIES = 3_000

/** Makes the question smaller for as long as the two still disagree. */
export function shrink(start: Disagreement): Disagreement {
  let best = start
  let tries = 0
  for (let improved = true; improved && tries < MAX_TRIES; ) {
    improved = false
    for (const candidate of smaller(best)) {
      tries += 1
      if (tries >= MAX_TRIES) break
      if (!disagrees(candidate)) continue
      best = candidate
      improved = true
      break
    }
  }
  return best
}

/** Everything that is needed to see the disagreement by hand. */
export function describe({ world, request, way }: Disagreement): string {
  const lines = [
    ...world.policies.map(
      (policy) => `${policy.id}: ${printPolicy(policy)} ${policy.links.length > 0 ? JSON.stringify(policy.links) : ''}`,
    ),
    `entities ${JSON.stringify(world.entities)}`,
    `request ${JSON.stringify(request)} (${way.actions}, ${way.context})`,
    `Cedar: ${JSON.stringify(askCedarOnce(world, request))}`,
    `ours:  ${JSON.stringify(ourAnswer({ world, request, way }))}`,
  ]
  return lines.join('\n')
}

export function isSame(a: Said, b: Said): boolean {
  return JSON.stringify([a.decision, a.reason, a.errors]) === JSON.stringify([b.decision, b.reason, b.errors])
}

function disagrees(question: Disagreement): boolean {
  try {
    return !isSame(askCedarOnce(question.world, question.request), ourAnswer(question))
  } catch {
    return false
  }
}

function ourAnswer({ world, request, way }: Disagreement): Said {
  return askOurs(prepareOurs(world, parseSources(world.policies), way), request, way)
}

function* smaller({ world, request, way }: Disagreement): Generator<Disagreement> {
  const { policies, entities } = world
  for (const policy of policies) {
    if (policies.length > 1) yield { world: { policies: policies.filter((other) => other !== policy), entities }, request, way }
    for (const reduced of smallerPolicies(policy))
      yield { world: { policies: policies.map((other) => (other === policy ? reduced : other)), entities }, request, way }
  }
  for (const entity of entities)
    yield { world: { policies, entities: entities.filter((other) => other !== entity) }, request, way }
  for (const entity of entities) {
    const bare = { ...entity, attrs: {}, tags: {} }
    if (JSON.stringify(bare) !== JSON.stringify(entity))
      yield { world: { policies, entities: entities.map((other) => (other === entity ? bare : other)) }, request, way }
  }
  for (const name of Object.keys(request.context)) {
    const context = Object.fromEntries(Object.entries(request.context).filter(([other]) => other !== name))
    yield { world, request: { ...request, context }, way }
  }
}

function* smallerPolicies(policy: DrawnPolicy): Generator<DrawnPolicy> {
  const { clauses } = policy
  for (const clause of clauses) {
    yield { ...policy, clauses: clauses.filter((other) => other !== clause) }
    for (const body of smallerTrees(clause.body))
      yield { ...policy, clauses: clauses.map((other) => (other === clause ? { ...clause, body } : other)) }
  }
}

function* smallerTrees(tree: Tree): Generator<Tree> {
  const parts = partsOf(tree)
  yield* parts
  for (const simple of [{ Value: true }, { Value: 1n }, { Value: 'a' }]) if (parts.length > 0) yield simple
  for (const part of parts) for (const reduced of smallerTrees(part)) yield withPart(tree, part, reduced)
}
