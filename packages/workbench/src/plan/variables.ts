import type { ArgumentType, RecordType } from '@tidegate/cedar'
import type { Json, PolicyRequest } from '@tidegate/kernel'
import { answer, questionsOf, type Sample, samplesOf, type Words } from '../condition/answers.ts'
import { type Formula, leavesOf, type Test } from '../condition/formula.ts'
import { factAt, isFixed, RANGES } from './fact-path.ts'

/** An attribute that policies ask about, with values that are answered differently than the neutral one, which comes first. */
export interface Variable {
  readonly path: string
  /** Undefined stands for the neutral value. */
  readonly samples: readonly (Sample | undefined)[]
}

/** What is varied of a request, and what policies ask about that cannot be. */
export interface Variables {
  readonly variables: readonly Variable[]
  /** False when the samples do not stand for every value. */
  readonly complete: boolean
  /** Attributes in questions that are not understood. */
  readonly opaque: readonly string[]
}

/**
 * What to vary of a request so that each question of the formulas is answered in every way: observed facts, arguments that the
 * operation has, and the stage. Everything else is declared, and as fixed as the declaration.
 */
export function variablesOf(
  formulas: readonly Formula[],
  neutral: PolicyRequest,
  words: Words,
  type: RecordType | undefined,
): Variables {
  const found = [...questionsOf(formulas)].flatMap(([path, tests]) => {
    const variable = isFixed(path) ? undefined : variableOf({ path, tests, neutral, words, type })
    return variable === undefined ? [] : [variable]
  })
  const opaque = new Set(formulas.flatMap(leavesOf).flatMap((leaf) => (leaf.kind === 'opaque' ? leaf.paths : [])))
  return {
    variables: found.map(({ path, samples }) => ({ path, samples })).filter(({ samples }) => samples.length > 1),
    complete: found.every(({ complete }) => complete),
    opaque: [...opaque].filter((path) => !isFixed(path)).toSorted(),
  }
}

interface Asked {
  readonly path: string
  readonly tests: readonly Test[]
  readonly neutral: PolicyRequest
  readonly words: Words
  readonly type: RecordType | undefined
}

function variableOf({ path, tests, neutral, words, type }: Asked): (Variable & { readonly complete: boolean }) | undefined {
  const { samples, complete } = samplesOf(path, tests, words)
  const member = path.startsWith('arguments.') ? memberAt(type, path.split('.').slice(1)) : undefined
  if (path.startsWith('arguments.') && member === undefined) return undefined
  const fitting = samples.filter((sample) => (member === undefined ? fitsFact(path, sample) : fitsArgument(member, sample)))
  const own = sampleOf(factAt(neutral, path))
  const same = (sample: Sample): boolean => tests.every((test) => answer(test, sample) === answer(test, own))
  return { path, samples: [undefined, ...fitting.filter((sample) => !same(sample))], complete }
}

type Member = RecordType['members'][string]

function memberAt(type: RecordType | undefined, [name = '', ...rest]: readonly string[]): Member | undefined {
  const member = type !== undefined && Object.hasOwn(type.members, name) ? type.members[name] : undefined
  if (rest.length === 0 || member === undefined) return member
  return member.type.kind === 'record' ? memberAt(member.type, rest) : undefined
}

const KINDS: Readonly<Record<ArgumentType['kind'], Sample['kind'] | undefined>> = {
  text: 'text',
  long: 'number',
  decimal: 'number',
  flag: 'flag',
  set: 'texts',
  record: undefined,
}

function fitsArgument({ type, required }: Member, sample: Sample): boolean {
  if (sample.kind === 'absent') return !required
  if (sample.kind !== KINDS[type.kind]) return false
  return sample.kind !== 'number' || (sample.unit === 'decimal') === (type.kind === 'decimal')
}

function fitsFact(path: string, sample: Sample): boolean {
  if (sample.kind === 'absent') return false
  const [low, high] = RANGES[path] ?? [0, Number.MAX_SAFE_INTEGER]
  return sample.kind !== 'number' || (sample.value >= low && sample.value <= high)
}

/** A value of a request as a sample. */
export function sampleOf(value: Json | undefined): Sample | undefined {
  if (value === undefined) return { kind: 'absent' }
  if (typeof value === 'boolean') return { kind: 'flag', value }
  if (typeof value === 'string') return { kind: 'text', value }
  if (typeof value === 'number') return { kind: 'number', value, unit: 'long' }
  return Array.isArray(value) ? { kind: 'texts', value: (value as readonly Json[]).map(String) } : undefined
}
