import type { CedarSchema } from '@tidegate/cedar'
import { isObject, type Json } from '@tidegate/kernel'

/** One kind of request that can be made at all: an agent, an operation and its tool. */
export interface Shot {
  readonly agent: string
  readonly operation: string
  readonly tool: string
}

/** The scope of a policy in Cedar's JSON form. */
export interface Scoped {
  readonly principal: object
  readonly action: object
  readonly resource: object
}

/** Every agent with every operation of a schema. */
export function shotsOf({ cedar }: CedarSchema): readonly Shot[] {
  const namespace = cedar['']
  const agents = enumOf(namespace?.entityTypes.Agent)
  const operations = Object.entries(namespace?.actions ?? {}).flatMap(([operation, { appliesTo }]) =>
    appliesTo === undefined || appliesTo === null ? [] : [operation],
  )
  return agents.flatMap((agent) => operations.map((operation) => ({ agent, operation, tool: toolOf(operation) })))
}

/** The shots that a scope admits. */
export function within(scope: Scoped, shots: readonly Shot[]): readonly Shot[] {
  return shots.filter(
    (shot) =>
      admits(scope.principal, [['Agent', shot.agent]]) &&
      admits(scope.resource, [['Tool', shot.tool]]) &&
      admits(scope.action, [
        ['Action', shot.operation],
        ['Action', `tool::${shot.tool}`],
        ['Action', 'any'],
      ]),
  )
}

type Name = readonly [type: string, id: string]

/** `names` is the entity itself, then its groups. */
function admits(constraint: object, names: readonly [Name, ...Name[]]): boolean {
  const { op, entity, entities, entity_type, in: group } = constraint as Readonly<Record<string, unknown>>
  const listed = (Array.isArray(entities) ? entities : [entity]).flatMap(nameOf)
  if (op === 'All') return true
  if (op === '==') return listed.some((name) => isSame(name, names[0]))
  if (op === 'in') return listed.some((name) => names.some((own) => isSame(name, own)))
  if (op !== 'is' || entity_type !== names[0][0]) return false
  return group === undefined || group === null || admits({ op: 'in', ...group }, names)
}

function nameOf(entity: unknown): readonly Name[] {
  const { type, id } = (typeof entity === 'object' && entity !== null ? entity : {}) as Readonly<Record<string, unknown>>
  return typeof type === 'string' && typeof id === 'string' ? [[type, id]] : []
}

function isSame(a: Name, b: Name): boolean {
  return a[0] === b[0] && a[1] === b[1]
}

function toolOf(operation: string): string {
  return operation.slice(0, operation.indexOf('.'))
}

function enumOf(type: unknown): readonly string[] {
  // Sound: a schema is JSON.
  const { enum: listed } = isObject(type as Json) ? (type as { readonly enum?: unknown }) : {}
  return Array.isArray(listed) ? listed.filter((each) => typeof each === 'string') : []
}
