import { isObject, type Json, type JsonObject, type Meter, METERS_MAX, type Operation } from '@tidegate/kernel'
import type { z } from 'zod'
import { explainIssues } from '../yaml/issues.ts'
import { parseYaml } from '../yaml/parse-yaml.ts'
import type { FileProblem, Finding, Path } from '../yaml/problem.ts'
import { checkMeter, type Places } from './check-meter.ts'
import { type Made, makeAnomaly, makeFormerly, makeMeter, makeNever } from './make-meter.ts'
import { anomalySchema, formerlySchema, meterSchema, neverSchema } from './schema.ts'

const MAX_PROBLEMS = 50

/** One file of limits. `text` may be bytes as they were read. */
export interface LimitsFile {
  /** Name in messages. */
  readonly file: string
  readonly text: string | Uint8Array
}

export type LimitsAnswer =
  | { readonly ok: true; readonly meters: readonly Meter[] }
  | { readonly ok: false; readonly problems: readonly FileProblem[] }

/**
 * Reads the meters and limits of a project (docs/guide/limits.md), or says everything that is wrong with them, where, and what to
 * do about it.
 *
 * Nothing is guessed: a limit on an operation that no tool declares, on an argument that a call may leave out, or under a name
 * that another meter has, is a problem, and files with problems are not loaded at all.
 */
export function parseLimits(files: readonly LimitsFile[], operations: readonly Operation[]): LimitsAnswer {
  const problems: FileProblem[] = []
  const meters: Meter[] = []
  const owners = new Map<string, string>()
  for (const { file, text } of files) {
    const yaml = parseYaml(text, file)
    if (!yaml.ok) {
      problems.push(...yaml.problems)
      continue
    }
    const found = readFile(yaml.value, operations)
    const twice = found.meters.flatMap(({ meter: { name }, path }): readonly Finding[] => {
      const owner = owners.get(name)
      if (owner === undefined) owners.set(name, file)
      return owner === undefined
        ? []
        : [{ path: [...path, 'name'], message: `${owner} has a meter "${name}" already. Rename one.` }]
    })
    const placed = [...found.findings, ...twice].slice(0, MAX_PROBLEMS).map(yaml.place)
    problems.push(...placed.toSorted((a, b) => a.line - b.line || a.column - b.column))
    meters.push(...found.meters.map(({ meter }) => meter))
  }
  if (problems.length === 0 && meters.length > METERS_MAX) {
    const message = `A project has at most ${METERS_MAX} meters; these are ${meters.length}.`
    problems.push({ file: files.at(-1)?.file ?? '', line: 1, column: 1, path: '', message })
  }
  return problems.length === 0 ? { ok: true, meters } : { ok: false, problems: problems.slice(0, MAX_PROBLEMS) }
}

interface Read {
  readonly meters: readonly { readonly meter: Meter; readonly path: Path }[]
  readonly findings: readonly Finding[]
}

function readFile(value: Json, operations: readonly Operation[]): Read {
  if (!Array.isArray(value))
    return { meters: [], findings: [{ path: [], message: 'Limits are a list; begin each meter with "- name:".' }] }
  const read = (value as readonly Json[]).map((item, i) => readItem(item, [i], operations))
  return { meters: read.flatMap(({ meters }) => meters), findings: read.flatMap(({ findings }) => findings) }
}

/** Limits may name operations of their own. */
function plainPlaces({ limits }: JsonObject): Places {
  const bound = (i: number): Path => {
    const limit = Array.isArray(limits) ? (limits as readonly Json[])[i] : undefined
    return isObject(limit) && 'operations' in limit ? ['limits', i, 'operations'] : ['operations']
  }
  return { operations: ['operations'], bound, sum: ['sum'], per: ['per'], of: ['of'] }
}

function placesIn(key: string, other: string, bound: string): Places {
  return { operations: [key, other], bound: () => [key, bound], sum: [key, 'sum'], per: [key, 'per'], of: [key, 'of'] }
}

/** A meter is told by its distinguishing key. */
function readItem(item: Json, root: Path, operations: readonly Operation[]): Read {
  if (!isObject(item))
    return { meters: [], findings: [{ path: root, message: 'A meter is a map of keys and values; start with "name:".' }] }
  if ('never' in item) return readAs(neverSchema, makeNever, placesIn('never', 'after', 'operations'))
  if ('formerly' in item) return readAs(formerlySchema, makeFormerly, placesIn('formerly', 'needs', 'operations'))
  if ('anomaly' in item) return readAs(anomalySchema, makeAnomaly, placesIn('anomaly', 'operations', 'operations'))
  return readAs(meterSchema, makeMeter, plainPlaces(item))

  function readAs<Document>(schema: z.ZodType<Document>, make: (document: Document) => Made, places: Places): Read {
    const parsed = schema.safeParse(item)
    if (!parsed.success) return { meters: [], findings: explainIssues(parsed.error.issues, item, root) }
    const { meter, findings } = make(parsed.data)
    const meaning = [...findings, ...checkMeter(meter, operations, places)]
    return { meters: [{ meter, path: root }], findings: meaning.map((one) => ({ ...one, path: [...root, ...one.path] })) }
  }
}
