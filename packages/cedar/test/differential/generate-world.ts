import type { Chance } from '@tidegate/testkit'
import { drawExpression } from './generate-expression.ts'
import type { Tree } from './tree.ts'
import { clauseText, uidText } from '@tidegate/kernel'
import {
  ACTION_GROUPS,
  ACTIONS,
  ATTRIBUTE_NAMES,
  ATTRIBUTES,
  ENTITY_IDS,
  ENTITY_TYPES,
  KINDS,
  type Kind,
  LONGS,
  STRINGS,
  VALID,
} from './vocabulary.ts'

/** Anything in Cedar's JSON form. */
export type CedarJson = boolean | number | string | readonly CedarJson[] | { readonly [key: string]: CedarJson }

export interface UidJson {
  readonly type: string
  readonly id: string
}

export interface EntityJson {
  readonly uid: UidJson
  readonly attrs: { readonly [name: string]: CedarJson }
  readonly parents: readonly UidJson[]
  readonly tags: { readonly [name: string]: CedarJson }
}

export interface DrawnPolicy {
  readonly id: string
  readonly effect: 'permit' | 'forbid'
  /** `principal == User::"a", action, resource`. */
  readonly scope: string
  readonly clauses: readonly { readonly kind: 'when' | 'unless'; readonly body: Tree }[]
  /** For a template: links, each with what fills its slots. */
  readonly links: readonly { readonly id: string; readonly values: Readonly<Record<string, UidJson>> }[]
}

export interface DrawnRequest {
  readonly principal: UidJson
  readonly action: UidJson
  readonly resource: UidJson
  readonly context: { readonly [name: string]: CedarJson }
}

/** A set of policies, the entities they are asked about, and questions. */
export interface World {
  readonly policies: readonly DrawnPolicy[]
  readonly entities: readonly EntityJson[]
  readonly requests: readonly DrawnRequest[]
}

export function drawWorld(chance: Chance, size: { readonly policies: number; readonly requests: number }): World {
  return {
    policies: Array.from({ length: size.policies }, (_, index) => drawPolicy(chance, index)),
    entities: [...drawEntities(chance), ...actionEntities()],
    requests: Array.from({ length: size.requests }, () => drawRequest(chance)),
  }
}

/** The text of a policy, as a person would write it but for the brackets. */
export function printPolicy({ effect, scope, clauses }: DrawnPolicy): string {
  return `${effect} (${scope})${clauses.map((clause) => `\n${clauseText(clause)}`).join('')};`
}

function drawPolicy(chance: Chance, index: number): DrawnPolicy {
  const isTemplate = chance.oneIn(6)
  const principal = drawConstraint(chance, 'principal', isTemplate)
  const resource = drawConstraint(chance, 'resource', isTemplate)
  const slots = [principal, resource].flatMap((text) => /\?(?:principal|resource)/.exec(text) ?? [])
  const clauses = Array.from({ length: chance.pick([0, 1, 1, 1, 1, 2]) }, () => ({
    kind: chance.oneIn(5) ? ('unless' as const) : ('when' as const),
    body: drawExpression(chance, 'bool', 4),
  }))
  const links = Array.from({ length: slots.length === 0 ? 0 : 1 + chance.below(2) }, (_, link) => ({
    id: `link${index}-${link}`,
    values: Object.fromEntries(slots.map((slot) => [slot, drawUid(chance)])),
  }))
  return {
    id: `policy${index}`,
    effect: chance.oneIn(3) ? 'forbid' : 'permit',
    scope: [principal, drawActionConstraint(chance), resource].join(', '),
    clauses,
    links,
  }
}

function drawConstraint(chance: Chance, variable: 'principal' | 'resource', isTemplate: boolean): string {
  const type = chance.pick(ENTITY_TYPES)
  const entity = isTemplate ? `?${variable}` : uidText(drawUid(chance))
  const forms = ['', '', '', ` == ${entity}`, ` in ${entity}`, ` is ${type}`, ` is ${type} in ${entity}`]
  return `${variable}${chance.pick(forms)}`
}

function drawActionConstraint(chance: Chance): string {
  const action = () => uidText({ type: 'Action', id: chance.pick(ACTIONS) })
  const list = Array.from({ length: chance.below(3) + 1 }, action)
  return chance.pick(['action', 'action', `action == ${action()}`, `action in ${action()}`, `action in [${list.join(', ')}]`])
}

function drawRequest(chance: Chance): DrawnRequest {
  return {
    principal: drawUid(chance),
    action: { type: 'Action', id: chance.pick(ACTIONS) },
    resource: drawUid(chance),
    context: drawAttributes(chance, 3, 4),
  }
}

/** About a fifth of all entities that could exist; each is below some of those that come before it. */
function drawEntities(chance: Chance): readonly EntityJson[] {
  const all = ENTITY_TYPES.flatMap((type) => ENTITY_IDS.map((id) => ({ type, id })))
  const known = all.filter(() => chance.oneIn(5))
  return known.map((uid, index) => ({
    uid,
    attrs: drawAttributes(chance, 1, 2),
    parents: known.slice(0, index).filter(() => chance.oneIn(4)),
    tags: Object.fromEntries(
      STRINGS.filter(() => chance.oneIn(10)).map((name) => [name, drawValue(chance, chance.pick(KINDS), 1)]),
    ),
  }))
}

function actionEntities(): readonly EntityJson[] {
  return ACTIONS.map((id) => ({
    uid: { type: 'Action', id },
    attrs: {},
    parents: (ACTION_GROUPS[id] ?? []).map((group) => ({ type: 'Action', id: group })),
    tags: {},
  }))
}

function drawAttributes(chance: Chance, depth: number, commonness: number): { readonly [name: string]: CedarJson } {
  const names = ATTRIBUTE_NAMES.filter((name) => name !== 'absent' && chance.below(10) < commonness)
  return Object.fromEntries(names.map((name) => [name, drawValue(chance, ATTRIBUTES.get(name) ?? 'long', depth)]))
}

function drawValue(chance: Chance, wanted: Kind, depth: number): CedarJson {
  const kind = chance.oneIn(15) ? chance.pick(KINDS) : wanted
  switch (kind) {
    case 'bool':
      return chance.oneIn(2)
    case 'long':
      return chance.pick(SMALL_LONGS)
    case 'string':
      return chance.pick(STRINGS)
    case 'entity':
      return { __entity: { ...drawUid(chance) } }
    case 'set': {
      const element = chance.pick(KINDS)
      return depth <= 0 ? [] : Array.from({ length: chance.below(4) }, () => drawValue(chance, element, depth - 1))
    }
    case 'record':
      return depth <= 0 ? {} : drawAttributes(chance, depth - 2, 3)
    default:
      return { __extn: { fn: kind, arg: chance.pick(VALID[kind]) } }
  }
}

/** Cedar's WebAssembly takes only safe integers in JSON; larger ones come from the text of policies. */
const SMALL_LONGS = LONGS.filter((long) => Number.isSafeInteger(Number(long)) && long === BigInt(Number(long))).map(Number)

function drawUid(chance: Chance): UidJson {
  return { type: chance.pick(ENTITY_TYPES), id: chance.pick(ENTITY_IDS) }
}
