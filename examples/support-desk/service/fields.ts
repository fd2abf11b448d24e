import { DeskProblem } from './problem.ts'

/** Reads one value a caller sent, or throws `invalid_field` naming the place. The caller controls everything in `value`. */
export type Field<T> = (value: unknown, name: string) => T

type Shape = Readonly<Record<string, Field<unknown>>>
type Fields<S extends Shape> = { readonly [K in keyof S]: ReturnType<S[K]> }

/** Accepts an object with exactly the fields of the shape; an unknown key (`__proto__` among them) is `unknown_field`. */
export function record<S extends Shape>(shape: S): Field<Fields<S>> {
  return (value, name) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(name, 'an object')
    const source = new Map<string, unknown>(Object.entries(value))
    for (const key of source.keys()) {
      if (!Object.hasOwn(shape, key))
        throw new DeskProblem('unknown_field', `${name} has an unknown field ${quoted(key)}. Leave it out.`)
    }
    const entries = Object.entries(shape).map(([key, field]) => [key, field(source.get(key), `${name}.${key}`)])
    // Sound: every key of the shape is present and was read by its own field.
    return Object.fromEntries(entries) as Fields<S>
  }
}

/** Accepts text of 1 to `maxLength` UTF-16 units that is more than white space, without lone surrogates and NUL. */
export function text(maxLength: number, options: { multiline?: boolean } = {}): Field<string> {
  return (value, name) => {
    if (typeof value !== 'string' || value.trim() === '' || value.length > maxLength) {
      throw malformed(name, `a text of 1 to ${maxLength} characters`)
    }
    if (!value.isWellFormed() || value.includes('\0')) throw malformed(name, 'well-formed Unicode without NUL')
    // One-line texts end up in mail headers, where a line break would start another header.
    if (!options.multiline && /\p{Cc}/u.test(value)) throw malformed(name, 'one line without control characters')
    return value
  }
}

/** Accepts a whole number in the range, both ends included. */
export function integer(min: number, max: number): Field<number> {
  return (value, name) => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value
    throw malformed(name, `a whole number from ${min} to ${max}`)
  }
}

/** Accepts one of the words. */
export function oneOf<T extends string>(...words: readonly T[]): Field<T> {
  return (value, name) => {
    const word = words.find((candidate) => candidate === value)
    if (word === undefined) throw malformed(name, `one of ${words.join(', ')}`)
    return word
  }
}

/** Accepts an array of `min` to `max` items. */
export function listOf<T>(item: Field<T>, { min, max }: { min: number; max: number }): Field<readonly T[]> {
  return (value, name) => {
    if (!Array.isArray(value) || value.length < min || value.length > max)
      throw malformed(name, `a list of ${min} to ${max} items`)
    return value.map((entry, index) => item(entry, `${name}[${index}]`))
  }
}

/** Accepts what the field accepts, or nothing at all; `null` is not nothing. */
export function optional<T>(field: Field<T>): Field<T | undefined> {
  return (value, name) => (value === undefined ? undefined : field(value, name))
}

function malformed(name: string, wanted: string): DeskProblem {
  return new DeskProblem('invalid_field', `${name} must be ${wanted}.`)
}

function quoted(key: string): string {
  return JSON.stringify(key.slice(0, 40))
}
