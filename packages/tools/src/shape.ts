import { type Json, type JsonObject, isObject, type Shape, type ShapeIssue } from '@tidegate/kernel'
import { z } from 'zod'
import { childPointer, findForeign, isPlain, type PlainLimits } from './plain-data.ts'

/** What the arguments of one call may cost. The size is that of the arguments a model may write. */
export const INPUT_LIMITS: PlainLimits = { maxBytes: 65_536, maxDepth: 32 }
/** What one answer may cost. */
export const OUTPUT_LIMITS: PlainLimits = { maxBytes: 1_048_576, maxDepth: 32 }

const MAX_ISSUES = 20

/** A schema as a shape, or in words why it cannot be one. */
export type ShapeAttempt =
  | { readonly ok: true; readonly shape: Shape }
  | { readonly ok: false; readonly reasons: readonly string[] }

/**
 * Turns a zod schema into a {@link Shape}: only what the schema returns is hashed, decided on and executed.
 *
 * Refused are schemas that let through what nobody declared (objects that are not strict, `any`, `unknown`) and schemas that
 * repair or replace what they are given (transforms, coercion, `catch`), because a value would then no longer be what was
 * proposed. Trimming, lower case and defaults stay: applied twice they give the same value.
 */
export function createShape(schema: z.ZodType, limits: PlainLimits): ShapeAttempt {
  const reasons: string[] = []
  let jsonSchema: JsonObject
  try {
    // The second pass is for its refusals alone: what cannot be said about the outgoing side is a transform.
    jsonSchema = describe(schema, 'input', reasons)
    describe(schema, 'output', [])
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    return {
      ok: false,
      reasons: [`cannot be said in JSON Schema (${why}). Use plain JSON types; no transforms, dates or bigints`],
    }
  }
  if (jsonSchema.type !== 'object') reasons.push('is not an object. Use z.strictObject({...})')
  findOpen(jsonSchema, '', reasons)
  if (reasons.length > 0) return { ok: false, reasons: [...new Set(reasons)].slice(0, MAX_ISSUES) }
  return { ok: true, shape: { jsonSchema, parse: (value) => parse(schema, value, limits) } }
}

function parse(schema: z.ZodType, value: Json, limits: PlainLimits): ReturnType<Shape['parse']> {
  const foreign = findForeign(value, limits)
  if (foreign !== undefined) return { ok: false, issues: [foreign] }
  const parsed = schema.safeParse(value)
  if (!parsed.success) return { ok: false, issues: parsed.error.issues.flatMap(issuesOf).slice(0, MAX_ISSUES) }
  if (isPlain(parsed.data, limits)) return { ok: true, value: parsed.data }
  return { ok: false, issues: [{ path: '', message: 'the schema made something of it that is not plain JSON' }] }
}

/** Messages of zod name types and limits, never the value that was refused. */
function issuesOf(issue: z.core.$ZodIssue): readonly ShapeIssue[] {
  const path = issue.path.reduce<string>(childPointer, '')
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }]
  return issue.keys.map((key) => ({ path: childPointer(path, key), message: 'is not declared here' }))
}

function describe(schema: z.ZodType, io: 'input' | 'output', reasons: string[]): JsonObject {
  const described: unknown = z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    override: ({ zodSchema }) => {
      const { def } = zodSchema._zod
      if (def.type === 'any' || def.type === 'unknown')
        reasons.push('holds z.any() or z.unknown(). Say what it is, or use z.json()')
      if (def.type === 'pipe' || def.type === 'transform')
        reasons.push('uses a transform, a pipe or a preprocess. Ask for the type you need')
      if (def.type === 'catch') reasons.push('uses .catch(), which hides what was wrong. Remove it')
      if ('coerce' in def && def.coerce === true) reasons.push('uses z.coerce, which guesses. Ask for the type you need')
    },
  })
  const plain: unknown = JSON.parse(JSON.stringify(described))
  if (!isPlain(plain, { maxBytes: OUTPUT_LIMITS.maxBytes, maxDepth: 60 }) || !isObject(plain)) {
    throw new TypeError('the schema is too large or has a forbidden key')
  }
  const { $schema: _dialect, ...rest } = plain
  return rest
}

/** Looks for objects that would let through keys nobody declared. */
function findOpen(schema: Json, path: string, reasons: string[]): void {
  if (Array.isArray(schema))
    for (const [i, item] of (schema as readonly Json[]).entries()) findOpen(item, `${path}/${i}`, reasons)
  if (!isObject(schema)) return
  if (schema.type === 'object' && (schema.additionalProperties === undefined || isEmpty(schema.additionalProperties))) {
    reasons.push(`lets through undeclared keys at "${path || '/'}". Use z.strictObject({...}) there`)
  }
  for (const [key, member] of Object.entries(schema)) {
    if (key === 'default' || key === 'const' || key === 'enum' || key === 'examples') continue
    findOpen(member, `${path}/${key}`, reasons)
  }
}

function isEmpty(value: Json): boolean {
  return isObject(value) && Object.keys(value).length === 0
}
