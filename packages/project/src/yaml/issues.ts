import { isObject, type Json, valueAt } from '@tidegate/kernel'
import type { z } from 'zod'
import { suggest } from './did-you-mean.ts'
import type { Finding, Path } from './problem.ts'

/** Puts what the schema found into words, with what to do about it. `root` is where the checked value stands in the document. */
export function explainIssues(issues: readonly z.core.$ZodIssue[], value: Json, root: Path): readonly Finding[] {
  return issues.flatMap((issue) => explainIssue(issue, value, root))
}

function explainIssue(issue: z.core.$ZodIssue, value: Json, root: Path): readonly Finding[] {
  const inner = issue.path.map((segment) => (typeof segment === 'symbol' ? String(segment) : segment))
  const path = [...root, ...inner]
  const given = givenAt(value, inner)
  if (issue.code === 'unrecognized_keys') {
    const messages = issue.message.split('\n')
    return issue.keys.map((key, i) => ({ path: [...path, key], atKey: true, message: messages[i] ?? `Unknown key "${key}".` }))
  }
  if (issue.code === 'invalid_key') {
    return [{ path, atKey: true, message: issue.issues[0]?.message ?? 'This name is not allowed.' }]
  }
  if (issue.code === 'custom') return [{ path, message: issue.message }]
  if (given === undefined) return [{ path, message: `"${String(inner.at(-1) ?? '')}" is missing. Add it.` }]
  if (issue.code === 'invalid_value') {
    const known = issue.values.map(String)
    if (!issue.message.startsWith('Invalid')) return [{ path, message: `${issue.message}${suggestFor(given, known)}` }]
    return [{ path, message: `${show(given)} is not one of ${known.join(', ')}.${suggestFor(given, known)}` }]
  }
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')) {
    return [{ path, message: `Expected ${NAMES[issue.expected] ?? issue.expected}, found ${kindOf(given)}.` }]
  }
  return [{ path, message: issue.message }]
}

function suggestFor(given: Json, known: readonly string[]): string {
  const hint = typeof given === 'string' ? suggest(given, known) : ''
  return hint.startsWith(' Did') ? hint : ''
}

const NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a map of keys and values',
  record: 'a map of keys and values',
  array: 'a list',
}

function kindOf(value: Json): string {
  if (value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (isObject(value)) return 'a map of keys and values'
  return typeof value === 'string' ? `the text ${show(value)}` : show(value)
}

function show(value: Json): string {
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 60)}...` : text
}

function givenAt(value: Json, path: Path): Json | undefined {
  return valueAt(value, path.map((segment) => `/${String(segment).replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''))
}
