import {
  CALL_SOURCES,
  isMeterName,
  isObject,
  type Json,
  type JsonObject,
  matchesOperation,
  type Meter,
  type Operation,
  RUN_SOURCES,
  segmentsOf,
} from '@tidegate/kernel'
import { requiredBy } from '../workflow-file/known-keys.ts'
import { suggest } from '../yaml/did-you-mean.ts'
import type { Finding, Path } from '../yaml/problem.ts'

/** Where the parts of a meter stand in what was written. */
export interface Places {
  /** What it counts, and what its limits bind, as far as both were written apart. */
  readonly operations: Path
  /** By position of the limit. */
  readonly bound: (limit: number) => Path
  readonly sum: Path
  readonly per: Path
  readonly of: Path
}

/**
 * Holds a meter against what is declared: names that nobody declares, and arguments that a call may leave out. A limit on a
 * misspelt operation would bind nothing, and a sum of what may be missing could not be told.
 */
export function checkMeter(meter: Meter, operations: readonly Operation[], places: Places): readonly Finding[] {
  const { name, of, sum, per } = meter
  const isArgument = per.startsWith('/')
  const findings: Finding[] = []
  if (!isMeterName(name)) findings.push({ path: ['name'], message: NAME_HELP })
  findings.push(...unknownPatterns(meter.operations, operations, places.operations))
  for (const [i, { on }] of meter.limits.entries()) {
    if (on !== meter.operations) findings.push(...unknownPatterns(on, operations, places.bound(i)))
  }
  if (RUN_SOURCES.includes(of) && (isArgument || per === 'tool' || per === 'operation'))
    findings.push({ path: places.per, message: `${of} belong to a run and to no operation: count them per agent, user or run.` })
  if (!CALL_SOURCES.includes(of)) {
    const message = `Only ${CALL_SOURCES.join(', ')} have arguments to look at, and ${of} have not.`
    if (sum !== null) findings.push({ path: places.sum, message })
    if (isArgument && !RUN_SOURCES.includes(of)) findings.push({ path: places.per, message })
    return findings
  }
  const counted = operations.filter(({ id }) => matchesOperation(meter.operations, id))
  if (of === 'effects' && counted.length > 0 && counted.every(({ mutability }) => mutability === 'read'))
    findings.push({ path: places.of, message: 'These operations only read, so they have no effects: write "of: calls".' })
  const looked = [
    ...(sum === null ? [] : [{ pointer: sum, path: places.sum }]),
    ...(isArgument ? [{ pointer: per, path: places.per }] : []),
  ]
  if (looked.length > 0 && meter.operations.length === 0)
    findings.push({ path: places.operations, message: 'List the operations whose arguments these are.' })
  else {
    const binds = meter.limits.flatMap(({ on }) => operations.filter(({ id }) => on.length > 0 && matchesOperation(on, id)))
    for (const { pointer, path } of looked) {
      const needed = pointer === sum ? counted : [...new Set([...counted, ...binds])]
      findings.push(...missingArguments(needed, pointer, path, pointer === sum))
    }
  }
  return findings
}

const NAME_HELP =
  'A meter has a name of small letters and digits joined by hyphens, at most 50, such as "refunds-per-day"; ' +
  'not run-steps, run-tokens, run-cost-micros or a word of Cedar.'

function unknownPatterns(patterns: readonly string[], operations: readonly Operation[], path: Path): readonly Finding[] {
  const known = operations.map(({ id }) => id)
  const groups = operations.map(({ tool }) => `${tool}.*`)
  return patterns.flatMap((pattern, i): readonly Finding[] => {
    if (known.some((id) => matchesOperation([pattern], id))) return []
    const hint = suggest(pattern, pattern.endsWith('.*') ? [...new Set(groups)] : known)
    return [{ path: [...path, i], message: `No tool declares "${pattern}".${hint}` }]
  })
}

function missingArguments(operations: readonly Operation[], pointer: string, path: Path, isSum: boolean): readonly Finding[] {
  return operations.flatMap(({ id, input }): readonly Finding[] => {
    const found = requiredAt(input.jsonSchema, pointer)
    if (found === undefined) return []
    if (found === 'missing') return [{ path, message: `${id} has no argument ${pointer}: list operations that have it.` }]
    if (found === 'optional')
      return [{ path, message: `${id} may be called without ${pointer}, and then nobody knows what to count: require it.` }]
    const type = found.type
    if (isSum && typeof type === 'string' && type !== 'integer' && type !== 'number')
      return [{ path, message: `${pointer} of ${id} is no number, so it cannot be summed.` }]
    return []
  })
}

/** What a JSON Schema says about a pointer: its schema when every call has it; undefined when the schema leaves it open. */
function requiredAt(schema: JsonObject, pointer: string): JsonObject | 'missing' | 'optional' | undefined {
  let current: Json | undefined = schema
  for (const segment of segmentsOf(pointer)) {
    if (!isObject(current)) return undefined
    const members: Json | undefined = current.properties
    if (!isObject(members)) return undefined
    if (!Object.hasOwn(members, segment)) return current.additionalProperties === false ? 'missing' : undefined
    if (!requiredBy(current).includes(segment)) return 'optional'
    current = members[segment]
  }
  return isObject(current) ? current : undefined
}
