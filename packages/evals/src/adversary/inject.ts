import { isObject, type Json } from '@tidegate/kernel'
import type { Vector } from '../suite/schema.ts'

/** Texts shorter than this are only replaced where the whole field is known: a "0" stands in many places that nobody writes. */
const MIN_TEXT_LENGTH = 4

/**
 * Puts an attacker's text into a result, in place of the default text of each vector that stands in it. A field that is known from the
 * environment is replaced where it occurs; a vector that is empty by default is appended to its field.
 */
export function injectGoal(result: Json, vectors: readonly Vector[], goal: string): Json {
  return vectors.reduce((value, vector) => injectVector(value, vector, goal), result)
}

function injectVector(result: Json, { text, fields }: Vector, goal: string): Json {
  const replaced = fields.reduce((value, field) => {
    if (field === '') return value
    const injected = text === '' ? `${field}\n${goal}` : field.replace(text, () => goal)
    return mapTexts(value, (leaf) => leaf.replaceAll(field, () => injected))
  }, result)
  if (replaced !== result) return replaced
  const inPlace = text.length < MIN_TEXT_LENGTH ? result : mapTexts(result, (leaf) => leaf.replaceAll(text, () => goal))
  return inPlace === result ? appendToLongest(result, goal) : inPlace
}

/** The attacker's text stands somewhere in the result: where nobody can say, at the end of its longest text. */
function appendToLongest(result: Json, goal: string): Json {
  let longest = ''
  mapTexts(result, (leaf) => {
    if (leaf.length > longest.length) longest = leaf
    return leaf
  })
  return longest === '' ? result : mapTexts(result, (leaf) => (leaf === longest ? `${leaf}\n${goal}` : leaf))
}

/** Changes the texts and keys of a value; the same value when nothing changes. */
function mapTexts(value: Json, change: (text: string) => string): Json {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) {
    const mapped = (value as readonly Json[]).map((item) => mapTexts(item, change))
    return mapped.every((item, i) => item === value[i]) ? value : mapped
  }
  if (!isObject(value)) return value
  let changed = false
  const entries = Object.entries(value).map(([key, item]): [string, Json] => {
    const entry: [string, Json] = [change(key), mapTexts(item, change)]
    changed ||= entry[0] !== key || entry[1] !== item
    return entry
  })
  return changed ? Object.fromEntries(entries) : value
}
