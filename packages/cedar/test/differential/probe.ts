import {
  type CedarRecord,
  CedarDatetime,
  CedarDecimal,
  CedarDuration,
  CedarSet,
  type CedarValue,
  decimalText,
  EntityUid,
  evaluateExpression,
  IpAddr,
} from '@tidegate/kernel'
import type { Chance } from '@tidegate/testkit'
import { readWorldRequest, type Ours } from './compare.ts'
import { drawExpression } from './generate-expression.ts'
import type { DrawnPolicy, DrawnRequest } from './generate-world.ts'
import type { Tree } from './tree.ts'
import { KINDS } from './vocabulary.ts'

/**
 * Draws policies that say what an expression comes to, by our own evaluation for one request: `expression == value`.
 *
 * Random conditions agree by chance where values differ; these do not. An expression that fails is asked as it is.
 */
export function drawProbes(chance: Chance, count: number, ours: Ours, request: DrawnRequest): readonly DrawnPolicy[] {
  return Array.from({ length: count }, (_, index) => {
    const expression = drawExpression(chance, chance.pick(KINDS), 3)
    const evaluated = evaluateExpression(expression, readWorldRequest(request), ours.entities, ours.compiled)
    const right = evaluated.ok ? literalOf(evaluated.value) : expression
    const body: Tree = { '==': { left: expression, right } }
    return {
      id: `probe${index}`,
      effect: chance.oneIn(2) ? 'permit' : 'forbid',
      scope: 'principal, action, resource',
      clauses: [{ kind: 'when', body }],
      links: [],
    }
  })
}

/** An expression that comes to the value, whatever the request is. */
function literalOf(value: CedarValue): Tree {
  if (value instanceof EntityUid) return { Value: { __entity: { type: value.type, id: value.id } } }
  if (value instanceof CedarDecimal) return { decimal: [{ Value: decimalText(value) }] }
  if (value instanceof CedarDuration) return durationOf(value.ms)
  if (value instanceof CedarDatetime) return { offset: [{ datetime: [{ Value: '1970-01-01' }] }, durationOf(value.epochMs)] }
  if (value instanceof IpAddr) return { ip: [{ Value: `${addressText(value)}/${value.prefix}` }] }
  if (value instanceof CedarSet) return { Set: value.elements.map(literalOf) }
  if (typeof value !== 'object') return { Value: value }
  if (isList(value)) return { Set: value.map(literalOf) }
  // Sound: what is neither a scalar, an instance nor a list is a record.
  return { Record: Object.fromEntries(Object.entries(value as CedarRecord).map(([name, each]) => [name, literalOf(each)])) }
}

function durationOf(ms: number | bigint): Tree {
  return { duration: [{ Value: `${ms}ms` }] }
}

function addressText({ version, address }: IpAddr): string {
  const [parts, bits, radix, between] = version === 4 ? [4, 8n, 10, '.'] : [8, 16n, 16, ':']
  return Array.from({ length: parts }, (_, index) => {
    const part = (address >> (BigInt(parts - 1 - index) * bits)) & ((1n << bits) - 1n)
    return part.toString(radix)
  }).join(between)
}

function isList(value: CedarValue): value is readonly CedarValue[] {
  return Array.isArray(value)
}
