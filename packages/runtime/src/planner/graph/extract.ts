import { CONFIDENCE_INCOMPLETE, joinOrigins, type Json, type JsonObject, type Origin } from '@tidegate/kernel'
import type { ExtractRules, FieldRule } from './graph.ts'
import { findMoney } from './money.ts'
import { isBorder } from './phrase.ts'
import type { SourceTexts } from './texts.ts'

/** How sure a value is that was picked out of several different ones. */
const CONFIDENCE_AMBIGUOUS = 9_000

/** What was found: a member for each field that the texts hold, and who wrote the texts it was taken from. */
export interface Extracted {
  readonly value: JsonObject
  readonly origins: readonly Origin[]
  readonly confidence: number
}

/**
 * Takes values out of texts by rules. Pure, and on purpose without judgement: it reads what is there, whoever wrote it. What
 * protects is that a value keeps the origins of its text, and that policy sees them (I9).
 */
export function extractByRules({ fields }: ExtractRules, { texts, whole }: SourceTexts): Extracted {
  const value: Record<string, Json> = {}
  let origins: readonly Origin[] = []
  let confidence = whole ? 10_000 : CONFIDENCE_INCOMPLETE
  for (const [name, rule] of fields) {
    const candidates = texts.flatMap((source) => findAll(source.text, rule).map((found) => ({ found, origins: source.origins })))
    const picked = rule.pick === 'first' ? candidates[0] : candidates.at(-1)
    if (picked === undefined) continue
    value[name] = picked.found
    origins = joinOrigins(origins, picked.origins)
    const different = new Set(candidates.map(({ found }) => JSON.stringify(found))).size
    if (different > 1) confidence = Math.min(confidence, CONFIDENCE_AMBIGUOUS)
  }
  return { value, origins, confidence }
}

function findAll(text: string, rule: FieldRule): readonly Json[] {
  switch (rule.kind) {
    case 'money':
      return findMoney(text, rule.currencies).map(({ minor, currency }) => ({ minor, currency }))
    case 'identifier':
      return findIdentifiers(text, rule.prefix)
    case 'email':
      return [...text.matchAll(EMAIL)].map((match) => match[0].replace(/[.-]+$/u, ''))
    case 'between':
      return findBetween(text, rule.after, rule.before)
  }
}

const EMAIL = /[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9][A-Za-z0-9-]{0,62}(?:\.[A-Za-z0-9-]{1,63}){1,8}/gu

function findIdentifiers(text: string, prefix: string): readonly string[] {
  const literal = prefix.replaceAll(/[^A-Za-z0-9]/gu, '\\$&')
  const pattern = new RegExp(`${literal}([A-Za-z0-9]{1,32}(?:[-_][A-Za-z0-9]{1,32}){0,4})`, 'gi')
  return [...text.matchAll(pattern)].filter((match) => isBorder(text, match.index)).map((match) => `${prefix}${match[1] ?? ''}`)
}

/** Per line: everything between the first phrase that opens and the nearest one that closes it, or the end of the line. */
function findBetween(text: string, after: readonly string[], before: readonly string[]): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const start = nearest(line, after, 0)
    if (start === undefined) return []
    const end = nearest(line, before, start.end)?.start ?? line.length
    const found = line.slice(start.end, end).trim()
    return found === '' ? [] : [found]
  })
}

function nearest(line: string, phrases: readonly string[], from: number): { start: number; end: number } | undefined {
  const places = phrases
    .map((phrase) => ({ start: line.indexOf(phrase, from), phrase }))
    .filter(({ start }) => start !== -1)
    .map(({ start, phrase }) => ({ start, end: start + phrase.length }))
  return places.toSorted((a, b) => a.start - b.start || b.end - a.end)[0]
}
