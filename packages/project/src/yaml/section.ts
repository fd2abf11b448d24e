import { z } from 'zod'
import { suggest } from './did-you-mean.ts'

/** A map with exactly these keys; every other is reported, one line each in the issue's message, with the nearest known one. */
export function section<const Shape extends z.core.$ZodLooseShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  const known = Object.keys(shape)
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return undefined
      return issue.keys.map((key) => `Unknown key "${key}".${suggest(key, known)}`).join('\n')
    },
  })
}

/** A finite map from names to values of one kind. */
export function mapOf<const Value extends z.ZodType>(value: Value, { max }: { max: number }) {
  return z
    .record(z.string().max(200), value)
    .refine((map) => Object.keys(map).length <= max, { message: `There may be at most ${max} entries here.` })
}

/** A text that is not empty. */
export function text(max: number) {
  return z.string().min(1, 'Write something here.').max(max, `At most ${max} characters.`)
}

/** A text in which references are filled in; may be empty. */
export function template(max: number) {
  return z.string().max(max, `At most ${max} characters.`)
}

/** How sure something is, from 0 to 1, as basis points. */
export const confidence = z
  .number('Write a number from 0 (a guess) to 1 (certain), such as 0.9.')
  .min(0, 'Write a number from 0 (a guess) to 1 (certain), such as 0.9.')
  .max(1, 'Write a number from 0 (a guess) to 1 (certain), such as 0.9.')
  .transform((share) => Math.round(share * 10_000))

/** Name of a workflow, a node, a class: `read-ticket`. */
export const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/u, 'A name has small letters, digits and hyphens, such as "read-ticket".')

/** A plain whole number from 1. */
export function count(max: number) {
  const message = `Write a whole number from 1 to ${max}.`
  return z.number(message).int(message).min(1, message).max(max, message)
}
