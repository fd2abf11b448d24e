import type { Chance } from '@tidegate/testkit'
import type { Tree } from './tree.ts'
import {
  ACTIONS,
  ATTRIBUTE_NAMES,
  ATTRIBUTES,
  ENTITY_IDS,
  ENTITY_TYPES,
  INVALID,
  KINDS,
  type Kind,
  LONGS,
  STRINGS,
  VALID,
} from './vocabulary.ts'

/** Draws an expression that mostly has the kind; one in twenty has another, so that types fail. */
export function drawExpression(chance: Chance, wanted: Kind, depth: number): Tree {
  const kind = chance.oneIn(20) ? chance.pick(KINDS) : wanted
  if (depth <= 0 || chance.oneIn(5)) return drawLeaf(chance, kind)
  if (chance.oneIn(12)) {
    const kinds: readonly (readonly [string, Kind])[] = [
      ['if', 'bool'],
      ['then', kind],
      ['else', kind],
    ]
    return { 'if-then-else': Object.fromEntries(kinds.map(([branch, each]) => [branch, next(chance, each, depth)])) }
  }
  if (chance.oneIn(8)) return drawAttribute(chance, kind, depth)
  return INNER[kind](chance, depth)
}

export function drawEntity(chance: Chance): Tree {
  const type = chance.oneIn(8) ? 'Action' : chance.pick(ENTITY_TYPES)
  return { Value: { __entity: { type, id: type === 'Action' ? chance.pick(ACTIONS) : chance.pick(ENTITY_IDS) } } }
}

/** Draws a text for a constructor, mostly one that it takes. */
export function drawText(chance: Chance, maker: keyof typeof VALID): string {
  if (!chance.oneIn(12)) return chance.pick(VALID[maker])
  return chance.oneIn(3)
    ? chance.pick(VALID[chance.pick(['decimal', 'ip', 'datetime', 'duration'] as const)])
    : chance.pick(INVALID)
}

function next(chance: Chance, kind: Kind, depth: number): Tree {
  return drawExpression(chance, kind, depth - 1)
}

function both(chance: Chance, operator: string, left: Kind, right: Kind, depth: number): Tree {
  return { [operator]: { left: next(chance, left, depth), right: next(chance, right, depth) } }
}

function method(chance: Chance, name: string, kinds: readonly Kind[], depth: number): Tree {
  const args = kinds.map((kind) => next(chance, kind, depth))
  return { [name]: chance.oneIn(40) ? [...args, next(chance, chance.pick(KINDS), depth)] : args }
}

function drawLeaf(chance: Chance, kind: Kind): Tree {
  if (chance.oneIn(5)) return { '.': { left: { Var: 'context' }, attr: attributeOf(chance, kind) } }
  switch (kind) {
    case 'bool':
      return { Value: chance.oneIn(2) }
    case 'long':
      return { Value: chance.pick(LONGS) }
    case 'string':
      return { Value: chance.pick(STRINGS) }
    case 'entity':
      return chance.oneIn(2) ? { Var: chance.pick(['principal', 'action', 'resource']) } : drawEntity(chance)
    case 'set':
      return { Set: Array.from({ length: chance.below(4) }, () => drawLeaf(chance, chance.pick(KINDS))) }
    case 'record':
      return chance.oneIn(2) ? { Var: 'context' } : drawRecord(chance, 0)
    default:
      return { [kind]: [{ Value: drawText(chance, kind) }] }
  }
}

function drawRecord(chance: Chance, depth: number): Tree {
  const names = Array.from({ length: chance.below(4) }, () => chance.pick(ATTRIBUTE_NAMES))
  return {
    Record: Object.fromEntries(names.map((name) => [name, drawExpression(chance, ATTRIBUTES.get(name) ?? 'long', depth - 1)])),
  }
}

function attributeOf(chance: Chance, kind: Kind): string {
  const fitting = [...ATTRIBUTES.keys()].filter((name) => ATTRIBUTES.get(name) === kind)
  return chance.oneIn(10) || fitting.length === 0 ? chance.pick(ATTRIBUTE_NAMES) : chance.pick(fitting)
}

function drawAttribute(chance: Chance, kind: Kind, depth: number): Tree {
  if (chance.oneIn(3)) return { getTag: { left: next(chance, 'entity', depth), right: next(chance, 'string', depth) } }
  return { '.': { left: next(chance, chance.oneIn(3) ? 'record' : 'entity', depth), attr: attributeOf(chance, kind) } }
}

const INNER: Readonly<Record<Kind, (chance: Chance, depth: number) => Tree>> = {
  bool: drawTest,
  long: drawNumber,
  string: (chance) => drawLeaf(chance, 'string'),
  entity: (chance) => drawLeaf(chance, 'entity'),
  set: (chance, depth) => ({ Set: Array.from({ length: chance.below(4) }, () => drawElement(chance, depth)) }),
  record: drawRecord,
  decimal: (chance, depth) => ({ decimal: [next(chance, 'string', depth)] }),
  ip: (chance, depth) => ({ ip: [next(chance, 'string', depth)] }),
  datetime: (chance, depth) =>
    chance.oneIn(2) ? method(chance, 'offset', ['datetime', 'duration'], depth) : method(chance, 'toDate', ['datetime'], depth),
  duration: (chance, depth) =>
    chance.oneIn(2)
      ? method(chance, 'durationSince', ['datetime', 'datetime'], depth)
      : method(chance, 'toTime', ['datetime'], depth),
}

/** Elements are often of one kind, as in real policies, and often entities, for `in`. */
function drawElement(chance: Chance, depth: number): Tree {
  return chance.oneIn(2) ? next(chance, 'entity', depth) : next(chance, chance.pick(KINDS), depth)
}

function drawNumber(chance: Chance, depth: number): Tree {
  const kind = chance.below(6)
  if (kind < 3) return both(chance, chance.pick(['+', '-', '*']), 'long', 'long', depth)
  if (kind < 4) return { neg: { arg: next(chance, 'long', depth) } }
  return method(chance, chance.pick(['toMilliseconds', 'toSeconds', 'toMinutes', 'toHours', 'toDays']), ['duration'], depth)
}

function drawTest(chance: Chance, depth: number): Tree {
  const tests: readonly (() => Tree)[] = [
    () => both(chance, chance.pick(['&&', '||']), 'bool', 'bool', depth),
    () => both(chance, chance.pick(['&&', '||']), 'bool', 'bool', depth),
    () => ({ '!': { arg: next(chance, 'bool', depth) } }),
    () => drawEquality(chance, depth),
    () => drawEquality(chance, depth),
    () => drawComparison(chance, depth),
    () => drawComparison(chance, depth),
    () => drawMembership(chance, depth),
    () => drawIs(chance, depth),
    () => drawHas(chance, depth),
    () => both(chance, 'hasTag', 'entity', 'string', depth),
    () => ({ like: { left: next(chance, 'string', depth), pattern: drawPattern(chance) } }),
    () => both(chance, 'contains', 'set', chance.pick(KINDS), depth),
    () => both(chance, chance.pick(['containsAll', 'containsAny']), 'set', 'set', depth),
    () => ({ isEmpty: { arg: next(chance, 'set', depth) } }),
    () =>
      method(
        chance,
        chance.pick(['lessThan', 'lessThanOrEqual', 'greaterThan', 'greaterThanOrEqual']),
        ['decimal', 'decimal'],
        depth,
      ),
    () => method(chance, chance.pick(['isIpv4', 'isIpv6', 'isLoopback', 'isMulticast']), ['ip'], depth),
    () => method(chance, 'isInRange', ['ip', 'ip'], depth),
  ]
  return chance.pick(tests)()
}

/** Half of the time both sides are the same expression or values of the same kind: two random values are rarely equal. */
function drawEquality(chance: Chance, depth: number): Tree {
  const kind = chance.pick(KINDS)
  const left = next(chance, kind, depth)
  const right = chance.oneIn(4) ? left : next(chance, kind, depth)
  return { [chance.pick(['==', '!='])]: { left, right } }
}

function drawComparison(chance: Chance, depth: number): Tree {
  const kind = chance.pick(['long', 'long', 'datetime', 'duration'] as const)
  return both(chance, chance.pick(['<', '<=', '>', '>=']), kind, kind, depth)
}

/** Sets of nothing but entities are rare by chance. */
function drawMembership(chance: Chance, depth: number): Tree {
  if (!chance.oneIn(3)) return both(chance, 'in', 'entity', chance.oneIn(3) ? 'set' : 'entity', depth)
  const entities = Array.from({ length: chance.below(4) }, () => drawEntity(chance))
  return { in: { left: next(chance, 'entity', depth), right: { Set: entities } } }
}

function drawIs(chance: Chance, depth: number): Tree {
  const type = chance.pick([...ENTITY_TYPES, 'Action', 'Doc'])
  const left = next(chance, 'entity', depth)
  return { is: chance.oneIn(2) ? { left, entity_type: type } : { left, entity_type: type, in: next(chance, 'entity', depth) } }
}

function drawHas(chance: Chance, depth: number): Tree {
  const left = next(chance, chance.oneIn(2) ? 'record' : 'entity', depth)
  const identifiers = ['owner', 'nested', 'count', 'name', 'constructor', '__proto__']
  if (chance.oneIn(3)) return { has: { left, attr: Array.from({ length: 2 + chance.below(2) }, () => chance.pick(identifiers)) } }
  return { has: { left, attr: chance.pick(ATTRIBUTE_NAMES) } }
}

function drawPattern(chance: Chance): readonly unknown[] {
  return Array.from({ length: chance.below(5) }, () =>
    chance.oneIn(2) ? 'Wildcard' : { Literal: chance.pick(['a', 'b', 'a', 'b', 'ab', '*', '"', '\u{1F600}', 'é', '\t', 'x']) },
  )
}
