import { canonicalJson, isObject, type Json, type JsonObject, type ShapeIssue } from '@tidegate/kernel'
import { childPointer } from '../plain.ts'
import { targetOf } from './clean-schema.ts'
import { compilePattern, matches } from './pattern.ts'

/** The most looks at a part of a value that one check may take: so many in any case, and so many more for each part of the value. */
const STEPS = { least: 10_000, perPart: 20, most: 2_000_000 } as const
const MAX_DEPTH = 256
const MAX_ISSUES = 20

/** Holds values against one schema. */
export type CheckValue = (value: Json) => readonly ShapeIssue[]

/**
 * Makes a check of a schema that {@link cleanSchema} has passed. No code is generated and nothing of a server is executed: the schema is
 * read along the value, with a bound on the steps, so that references and alternatives which multiply end in a refusal.
 *
 * Understood are the assertions of draft-07 and 2020-12. `format`, `default` and everything unknown only describe.
 */
export function createCheck(schema: JsonObject): CheckValue {
  const anchors = anchorsOf(schema)
  const patterns = new Map<string, RegExp | undefined>()
  const targets = new Map<string, Schema>()
  return (value) => {
    const left = Math.min(STEPS.most, STEPS.least + STEPS.perPart * countParts(value))
    const check: Check = { root: schema, anchors, patterns, targets, left, depth: 0, issues: [], quiet: 0 }
    try {
      const fits = evaluate(schema, value, '', check)
      if (fits) return []
      return check.issues.length > 0 ? check.issues : [{ path: '', message: 'does not fit the schema' }]
    } catch (error) {
      if (!(error instanceof TooMuch)) throw error
      return [{ path: '', message: 'takes too long to be held against the schema' }]
    }
  }
}

class TooMuch extends Error {}

interface Check {
  readonly root: JsonObject
  readonly anchors: ReadonlyMap<string, JsonObject>
  readonly patterns: Map<string, RegExp | undefined>
  /** What references lead to, as far as they were followed. */
  readonly targets: Map<string, Schema>
  readonly issues: ShapeIssue[]
  /** Steps that may still be taken. */
  left: number
  depth: number
  /** Above 0 inside alternatives, whose reasons say nothing by themselves. */
  quiet: number
}

type Schema = Json | undefined

function evaluate(schema: Schema, value: Json, path: string, check: Check): boolean {
  if (schema === true || schema === undefined) return true
  if (schema === false) return refuse(check, path, 'is not allowed here')
  if (!isObject(schema)) return refuse(check, path, 'cannot be held against the schema')
  spend(check, 1)
  check.depth += 1
  if (check.depth > MAX_DEPTH) throw new TooMuch()
  const fits = [checkReference, checkKind, checkNumber, checkText, checkArray, checkObject, checkCombined].reduce(
    (so, rule) => rule(schema, value, path, check) && so,
    true,
  )
  check.depth -= 1
  return fits
}

function spend(check: Check, steps: number): void {
  check.left -= steps
  if (check.left < 0) throw new TooMuch()
}

function countParts(value: Json): number {
  if (typeof value !== 'object' || value === null) return 1
  return Object.values(value).reduce<number>((sum, member) => sum + countParts(member), 1)
}

function refuse(check: Check, path: string, message: string): false {
  if (check.quiet === 0 && check.issues.length < MAX_ISSUES) check.issues.push({ path, message })
  return false
}

/** Whether a value fits, without a word about why not. */
function probe(schema: Schema, value: Json, path: string, check: Check): boolean {
  check.quiet += 1
  const fits = evaluate(schema, value, path, check)
  check.quiet -= 1
  return fits
}

type Rule = (schema: JsonObject, value: Json, path: string, check: Check) => boolean

const checkReference: Rule = ({ $ref: reference }, value, path, check) => {
  if (typeof reference !== 'string') return true
  if (!check.targets.has(reference))
    check.targets.set(reference, targetOf(check.root, reference) ?? check.anchors.get(reference.slice(1)))
  const target = check.targets.get(reference)
  return target === undefined ? refuse(check, path, 'cannot be held against the schema') : evaluate(target, value, path, check)
}

const checkKind: Rule = ({ type, enum: members, const: fixed }, value, path, check) => {
  const kinds: readonly Json[] = Array.isArray(type) ? type : type === undefined ? [] : [type]
  if (kinds.length > 0 && !kinds.some((kind) => isOfKind(value, kind)))
    return refuse(check, path, `must be ${kinds.join(' or ').slice(0, 80)}`)
  if (Array.isArray(members)) {
    spend(check, members.length)
    if (!(members as readonly Json[]).some((member) => isSame(member, value)))
      return refuse(check, path, 'is not one of the values that are allowed')
  }
  if (fixed !== undefined && !isSame(fixed, value)) return refuse(check, path, 'is not the one value that is allowed')
  return true
}

function isOfKind(value: Json, kind: Json): boolean {
  switch (kind) {
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value)
    case 'array':
      return Array.isArray(value)
    case 'object':
      return isObject(value)
    case 'null':
      return value === null
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === kind
    default:
      return false
  }
}

/** Equal as JSON: the order of keys does not matter. */
function isSame(a: Json, b: Json): boolean {
  if (a === b) return true
  return typeof a === 'object' && typeof b === 'object' && a !== null && b !== null && canonicalJson(a) === canonicalJson(b)
}

const checkNumber: Rule = (schema, value, path, check) => {
  if (typeof value !== 'number') return true
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema
  // In draft-04 the exclusive ones were flags beside the others.
  const isBelow =
    (typeof minimum === 'number' && (exclusiveMinimum === true ? value <= minimum : value < minimum)) ||
    (typeof exclusiveMinimum === 'number' && value <= exclusiveMinimum)
  const isAbove =
    (typeof maximum === 'number' && (exclusiveMaximum === true ? value >= maximum : value > maximum)) ||
    (typeof exclusiveMaximum === 'number' && value >= exclusiveMaximum)
  if (isBelow || isAbove) return refuse(check, path, `is too ${isBelow ? 'small' : 'large'}`)
  if (typeof multipleOf === 'number' && multipleOf > 0 && !isMultiple(value, multipleOf))
    return refuse(check, path, `must be a multiple of ${multipleOf}`)
  return true
}

function isMultiple(value: number, of: number): boolean {
  const quotient = value / of
  return Number.isInteger(quotient) || Math.abs(quotient - Math.round(quotient)) < 1e-9 * Math.max(1, Math.abs(quotient))
}

const checkText: Rule = ({ minLength, maxLength, pattern }, value, path, check) => {
  if (typeof value !== 'string') return true
  if (typeof minLength === 'number' || typeof maxLength === 'number') {
    let length = 0
    for (const _ of value) length += 1
    if (typeof minLength === 'number' && length < minLength)
      return refuse(check, path, `must have at least ${minLength} characters`)
    if (typeof maxLength === 'number' && length > maxLength)
      return refuse(check, path, `must have at most ${maxLength} characters`)
  }
  if (typeof pattern === 'string' && !fitsPattern(pattern, value, check)) return refuse(check, path, 'does not match its pattern')
  return true
}

function fitsPattern(source: string, text: string, check: Check): boolean {
  spend(check, 50)
  if (!check.patterns.has(source)) check.patterns.set(source, compilePattern(source))
  const pattern = check.patterns.get(source)
  return pattern !== undefined && matches(pattern, text)
}

const checkArray: Rule = (schema, value, path, check) => {
  if (!Array.isArray(value)) return true
  const members = value as readonly Json[]
  const { minItems, maxItems, uniqueItems } = schema
  if (typeof minItems === 'number' && members.length < minItems)
    return refuse(check, path, `must have at least ${minItems} members`)
  if (typeof maxItems === 'number' && members.length > maxItems)
    return refuse(check, path, `must have at most ${maxItems} members`)
  if (uniqueItems === true) {
    spend(check, members.length)
    if (new Set(members.map((member) => canonicalJson(member))).size < members.length)
      return refuse(check, path, 'must not hold anything twice')
  }
  const isTuple = Array.isArray(schema.items)
  const first = (isTuple ? schema.items : Array.isArray(schema.prefixItems) ? schema.prefixItems : []) as readonly Json[]
  const rest = isTuple ? schema.additionalItems : schema.items
  const fits = members.reduce<boolean>(
    (so, member, i) => evaluate(i < first.length ? first[i] : rest, member, `${path}/${i}`, check) && so,
    true,
  )
  return fits && checkContains(schema, members, path, check)
}

function checkContains(schema: JsonObject, members: readonly Json[], path: string, check: Check): boolean {
  const { contains, minContains, maxContains } = schema
  if (contains === undefined) return true
  const found = members.filter((member, i) => probe(contains, member, `${path}/${i}`, check)).length
  const least = typeof minContains === 'number' ? minContains : 1
  if (found >= least && !(typeof maxContains === 'number' && found > maxContains)) return true
  return refuse(check, path, 'does not hold what it must hold')
}

const checkObject: Rule = (schema, value, path, check) => {
  if (!isObject(value)) return true
  const names = Object.keys(value)
  const { required, minProperties, maxProperties, propertyNames } = schema
  let fits = true
  if (Array.isArray(required)) {
    for (const name of required as readonly Json[]) {
      if (typeof name === 'string' && !Object.hasOwn(value, name)) fits = refuse(check, childPointer(path, name), 'is missing')
    }
  }
  if (typeof minProperties === 'number' && names.length < minProperties) fits = refuse(check, path, 'has too few members')
  if (typeof maxProperties === 'number' && names.length > maxProperties) fits = refuse(check, path, 'has too many members')
  for (const name of names) {
    const at = childPointer(path, name)
    if (propertyNames !== undefined && !evaluate(propertyNames, name, at, check)) fits = false
    if (!checkMember(schema, name, value[name] ?? null, at, check)) fits = false
  }
  return checkDependencies(schema, value, path, check) && fits
}

function checkMember(schema: JsonObject, name: string, member: Json, path: string, check: Check): boolean {
  const { properties, patternProperties, additionalProperties } = schema
  let fits = true
  let isNamed = false
  if (isObject(properties) && Object.hasOwn(properties, name)) {
    isNamed = true
    fits = evaluate(properties[name], member, path, check)
  }
  if (isObject(patternProperties)) {
    for (const [source, each] of Object.entries(patternProperties)) {
      if (!fitsPattern(source, name, check)) continue
      isNamed = true
      if (!evaluate(each, member, path, check)) fits = false
    }
  }
  if (isNamed || additionalProperties === undefined) return fits
  if (additionalProperties === false) return refuse(check, path, 'is not declared here')
  return evaluate(additionalProperties, member, path, check)
}

function checkDependencies(schema: JsonObject, value: JsonObject, path: string, check: Check): boolean {
  const { dependentRequired, dependentSchemas, dependencies } = schema
  const all = [dependentRequired, dependentSchemas, dependencies].flatMap((map) => (isObject(map) ? Object.entries(map) : []))
  return all.reduce<boolean>((so, [name, needs]) => {
    if (!Object.hasOwn(value, name)) return so
    if (!Array.isArray(needs)) return evaluate(needs, value, path, check) && so
    const missing = (needs as readonly Json[]).find((need) => typeof need === 'string' && !Object.hasOwn(value, need))
    return missing === undefined
      ? so
      : refuse(check, childPointer(path, String(missing)), `is missing, and goes with "${name.slice(0, 60)}"`)
  }, true)
}

const checkCombined: Rule = (schema, value, path, check) => {
  const list = (keyword: string): readonly Json[] | undefined => {
    const members = schema[keyword]
    return Array.isArray(members) ? (members as readonly Json[]) : undefined
  }
  let fits = true
  for (const each of list('allOf') ?? []) fits = evaluate(each, value, path, check) && fits
  const anyOf = list('anyOf')
  if (anyOf !== undefined && !anyOf.some((each) => probe(each, value, path, check)))
    fits = refuse(check, path, 'fits none of the alternatives')
  const oneOf = list('oneOf')
  if (oneOf !== undefined) {
    const found = oneOf.filter((each) => probe(each, value, path, check)).length
    if (found !== 1) fits = refuse(check, path, `fits ${found === 0 ? 'none' : 'more than one'} of the alternatives`)
  }
  if (schema.not !== undefined && probe(schema.not, value, path, check)) fits = refuse(check, path, 'is what it must not be')
  if (schema.if !== undefined) {
    const branch = probe(schema.if, value, path, check) ? schema.then : schema.else
    fits = evaluate(branch, value, path, check) && fits
  }
  return fits
}

/** The parts of a schema that have a name of their own. Data in it (`const`, `enum`, `default`) is looked through too: a name there harms nobody. */
function anchorsOf(root: JsonObject): ReadonlyMap<string, JsonObject> {
  const anchors = new Map<string, JsonObject>()
  const visit = (part: Json): void => {
    if (Array.isArray(part)) for (const each of part as readonly Json[]) visit(each)
    if (!isObject(part)) return
    const { $anchor: anchor, $id: id } = part
    if (typeof anchor === 'string' && !anchors.has(anchor)) anchors.set(anchor, part)
    if (typeof id === 'string' && id.startsWith('#') && !anchors.has(id.slice(1))) anchors.set(id.slice(1), part)
    for (const each of Object.values(part)) visit(each)
  }
  visit(root)
  return anchors
}
