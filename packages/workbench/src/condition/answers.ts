import { type Formula, leavesOf, type Test, type Unit } from './formula.ts'

/** One value that an attribute may have, standing for all that answer the same questions alike. */
export type Sample =
  | { readonly kind: 'absent' }
  | { readonly kind: 'flag'; readonly value: boolean }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'number'; readonly value: number; readonly unit: Unit }
  | { readonly kind: 'texts'; readonly value: readonly string[] }

/** Attribute -> the words that it ever has, as in a schema. */
export type Words = Readonly<Record<string, readonly string[]>>

/** A text that no policy mentions. */
export const OTHER = 'something-else'

/** Sets of more mentioned texts than this are sampled as none, each one, and all: not every combination. */
const MAX_COMBINED = 6

/** The samples of one attribute, and whether together they stand for every value that it can have. */
export interface Samples {
  readonly samples: readonly Sample[]
  readonly complete: boolean
}

/** What formulas ask about each attribute. */
export function questionsOf(formulas: readonly Formula[]): ReadonlyMap<string, readonly Test[]> {
  const asked = new Map<string, Test[]>()
  for (const leaf of formulas.flatMap(leavesOf)) {
    if (leaf.kind === 'test') asked.set(leaf.path, [...(asked.get(leaf.path) ?? []), leaf.test])
  }
  return asked
}

/**
 * Samples that answer the questions about one attribute in every way in which they can be answered. Presence is a sample of its own
 * (`absent`), beside the values.
 */
export function samplesOf(path: string, tests: readonly Test[], words: Words): Samples {
  const known = Object.hasOwn(words, path) ? words[path] : undefined
  const absent: readonly Sample[] = tests.some(({ kind }) => kind === 'present') ? [{ kind: 'absent' }] : []
  const numbers = tests.filter((test) => test.kind === 'atMost')
  const texts = unique(tests.flatMap((test) => (test.kind === 'equals' ? [test.text] : [])))
  const members = unique(tests.flatMap((test) => (test.kind === 'contains' ? [test.text] : [])))
  const asksMembers = members.length > 0 || tests.some(({ kind }) => kind === 'empty')
  const sets = asksMembers ? setSamples(members, known) : NONE
  // Arguments of one name may be of different types in different operations: each kind that is asked for has its samples.
  const samples: readonly Sample[] = [
    ...absent,
    ...numberSamples(numbers),
    ...(texts.length === 0 ? [] : (known ?? [...texts, OTHER])).map((value): Sample => ({ kind: 'text', value })),
    ...sets.samples,
    ...(tests.some(({ kind }) => kind === 'flag') ? FLAGS : []),
  ]
  return { samples, complete: sets.complete }
}

const NONE: Samples = { samples: [], complete: true }
const FLAGS: readonly Sample[] = [
  { kind: 'flag', value: false },
  { kind: 'flag', value: true },
]

function numberSamples(tests: readonly Extract<Test, { kind: 'atMost' }>[]): readonly Sample[] {
  if (tests.length === 0) return []
  const bounds = [...new Set(tests.map(({ bound }) => bound))].toSorted((a, b) => a - b)
  const unit = tests[0]?.unit ?? 'long'
  const values = [...bounds, (bounds.at(-1) ?? 0) + 1]
  return values.map((value) => ({ kind: 'number', value, unit }))
}

function setSamples(members: readonly string[], words: readonly string[] | undefined): Samples {
  const exhausted = words?.every((word) => members.includes(word)) === true
  const rest = exhausted ? [] : [words?.find((word) => !members.includes(word)) ?? OTHER]
  const atoms = [...members, ...rest]
  const complete = atoms.length <= MAX_COMBINED
  const sets = complete ? subsets(atoms) : [[], ...atoms.map((atom) => [atom]), atoms]
  return { samples: sets.map((value) => ({ kind: 'texts', value })), complete }
}

function subsets(atoms: readonly string[]): readonly (readonly string[])[] {
  const [first, ...rest] = atoms
  if (first === undefined) return [[]]
  const others = subsets(rest)
  return [...others, ...others.map((set) => [first, ...set])]
}

/** What a sample answers to a question. A value that is of another kind, or absent, answers no. */
export function answer(test: Test, sample: Sample | undefined): boolean {
  if (sample === undefined || sample.kind === 'absent') return false
  switch (test.kind) {
    case 'present':
      return true
    case 'flag':
      return sample.kind === 'flag' && sample.value
    case 'equals':
      return sample.kind === 'text' && sample.value === test.text
    case 'atMost':
      return sample.kind === 'number' && sample.value <= test.bound
    case 'contains':
      return sample.kind === 'texts' && sample.value.includes(test.text)
    case 'empty':
      return sample.kind === 'texts' && sample.value.length === 0
  }
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].toSorted()
}
