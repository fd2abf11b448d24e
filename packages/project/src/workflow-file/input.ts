import type { Json, JsonObject, ShapeIssue, ShapeResult } from '@tidegate/kernel'
import { suggest } from '../yaml/did-you-mean.ts'
import type { InputField } from './schema.ts'

/** Declared fields of a workflow's input, by name. */
export type InputFields = Readonly<Record<string, InputField>>

/**
 * Checks the input that a trigger brings: every required field, no others, each of its type and size. The triggering side controls
 * all of it.
 */
export function parseInput(fields: InputFields, input: JsonObject): ShapeResult {
  const unknown = Object.keys(input)
    .filter((name) => !Object.hasOwn(fields, name))
    .map(
      (name): ShapeIssue => ({
        path: `/${name.slice(0, 80)}`,
        message: `the workflow declares no such field.${suggest(name, Object.keys(fields))}`,
      }),
    )
  const wrong = Object.entries(fields).flatMap(([name, field]): readonly ShapeIssue[] => {
    const message = refuse(field, Object.hasOwn(input, name) ? input[name] : undefined)
    return message === undefined ? [] : [{ path: `/${name}`, message }]
  })
  const issues = [...unknown, ...wrong].slice(0, 20)
  return issues.length === 0 ? { ok: true, value: input } : { ok: false, issues }
}

const NAMES = { text: 'a text', number: 'a number', boolean: 'true or false' } as const
const TYPES = { text: 'string', number: 'number', boolean: 'boolean' } as const

function refuse({ type, maxLength, required }: InputField, value: Json | undefined): string | undefined {
  if (value === undefined) return required ? 'is missing' : undefined
  if (typeof value !== TYPES[type]) return `must be ${NAMES[type]}`
  if (typeof value === 'number' && !Number.isFinite(value)) return 'must be a finite number'
  return typeof value === 'string' && value.length > maxLength ? `has more than ${maxLength} characters` : undefined
}
