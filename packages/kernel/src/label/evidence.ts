import type { Json } from '../canonical/json.ts'
import type { Flow } from './compile.ts'
import { type FieldOrigin, type FlowOutput, isClosedType } from './flow.ts'
import { isMoment, isNamedMoment } from './date.ts'
import { numberOf } from './quantity.ts'
import { nameOf, type Place, visitLeaves } from './pattern.ts'
import type { Task } from './task.ts'
import { once } from './once.ts'
import { canonicalText, hasPhrase, isGrammar, phraseText, plainWords, stem } from './words.ts'

/** What one answer offers as evidence about later arguments. Built once, when it is first needed. */
export interface Evidence {
  /** Canonical values of fields that only a system or the user writes. */
  readonly recorded: ReadonlySet<string>
  /** The longer texts among them. */
  readonly recordedText: string
  readonly numbers: readonly number[]
  readonly moments: readonly string[]
  readonly today: readonly string[]
  /** Members of closed sets, and handles that a system gave to records. */
  readonly listed: ReadonlySet<string>
  /** What authenticated colleagues wrote. */
  readonly memberText: string
  /** What third parties and colleagues wrote, names and titles excepted, as plain words; built when a text is graded. */
  readonly foreignWords: () => string
  /** The single words of members of closed sets: names. */
  readonly names: ReadonlySet<string>
  /** `field, phrase of the task` -> the values of that field in records that the phrase describes. */
  readonly described: ReadonlyMap<string, ReadonlySet<string>>
  /** Nothing can be found in it. */
  readonly isSilent: boolean
  /** How many characters were looked at. */
  readonly length: number
  /** The answer was too large to look at in full: nothing in it is unique. */
  readonly cut: boolean
}

/** Leaves of one answer that are looked at. */
const MAX_LEAVES = 20_000
const MAX_DESCRIPTION_LENGTH = 80
const MAX_NAME_LENGTH = 60
const DAY_LENGTH = '2024-05-15'.length
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} _.@+'&()/#:-]*$/u

/** True for a short text that can be a name: not more than six words, no sentence punctuation, one line. */
export function isName(text: string): boolean {
  return text.length > 0 && text.length <= MAX_NAME_LENGTH && NAME.test(text) && text.split(' ').length <= 6
}

/** True when a value has the form of its declared closed type. What has not is text, whatever was declared. */
export function fitsClosedType(value: Json, type: FlowOutput['type']): boolean {
  if (value === null) return true
  if (type === 'flag') return typeof value === 'boolean'
  if (type === 'number' || type === 'amount') return numberOf(value) !== undefined
  if (type === 'date') return typeof value === 'string' && isMoment(value)
  return (
    typeof value === 'number' ||
    typeof value === 'boolean' ||
    (typeof value === 'string' && /^[\p{L}\p{N}_-]{1,32}$/u.test(value))
  )
}

/** The origin of a field once it is known whether the call that it echoes was grounded. */
export function settledOrigin(origin: FieldOrigin | undefined, echoesUntrusted: boolean): FieldOrigin {
  if (origin === undefined) return 'third-party'
  return origin === 'arguments' ? (echoesUntrusted ? 'third-party' : 'user') : origin
}

/** A leaf of a record, with what its field is declared to be. */
interface Field {
  readonly name: string
  readonly text: string
  readonly output: FlowOutput | undefined
  readonly trusted: boolean
}

interface Draft {
  readonly recorded: Set<string>
  readonly texts: string[]
  readonly numbers: number[]
  readonly moments: string[]
  readonly today: string[]
  readonly listed: Set<string>
  readonly memberTexts: string[]
  readonly foreignTexts: string[]
  readonly names: Set<string>
  readonly records: Map<Place | undefined, Field[]>
  readonly alone: Field[]
  leaves: number
  length: number
}

/** Builds the evidence that an answer offers to a run with the given task. Linear in the size of the answer. */
export function evidenceOf(output: Json, flow: Flow, echoesUntrusted: boolean, task: Task): Evidence {
  const draft: Draft = {
    recorded: new Set(),
    texts: [],
    numbers: [],
    moments: [],
    today: [],
    listed: new Set(),
    memberTexts: [],
    foreignTexts: [],
    names: new Set(),
    records: new Map(),
    alone: [],
    leaves: 0,
    length: 0,
  }
  visitLeaves(flow.outputs, output, {
    leaf: (value, declared, place) => addLeaf(draft, value, declared, place, echoesUntrusted),
    key: (key, declared) => {
      if (declared?.keys !== undefined) addLeaf(draft, key, declared.keys, undefined, echoesUntrusted)
    },
  })
  const { recorded, numbers, moments, today, listed, names, length } = draft
  return {
    ...{ recorded, numbers, moments, today, listed, names, length },
    isSilent: isSilent(draft),
    recordedText: phraseText(draft.texts),
    memberText: phraseText(draft.memberTexts),
    foreignWords: once(() => draft.foreignTexts.map((text) => ` ${plainWords(text).join(' ')} `).join('')),
    described: describe(draft, task),
    cut: draft.leaves > MAX_LEAVES,
  }
}

/** True when an answer offers nothing: no value of a system, no name, no words of others that anybody could copy, no record to describe. */
function isSilent(draft: Draft): boolean {
  const { recorded, texts, numbers, moments, today, listed, memberTexts, foreignTexts, records, alone, leaves } = draft
  const isEmpty = recorded.size + listed.size + texts.length + memberTexts.length + foreignTexts.length === 0
  const hasNoTime = numbers.length + moments.length + today.length === 0
  return isEmpty && hasNoTime && leaves <= MAX_LEAVES && ![...records.values(), alone].some((fields) => fields.some(isTarget))
}

function addLeaf(draft: Draft, value: Json, output: FlowOutput | undefined, place: Place | undefined, echoes: boolean): void {
  draft.leaves++
  if (draft.leaves > MAX_LEAVES || value === null || typeof value === 'object') return
  const origin = settledOrigin(output?.origin, echoes)
  const trusted = origin === 'system' || origin === 'user'
  const text = String(value)
  draft.length += text.length
  if (output?.list === 'lines') {
    const { list, ...member } = output
    for (const name of membersOf(text)) addLeaf(draft, name, member, undefined, echoes)
    return
  }
  if (trusted) addTrusted(draft, value, text, output)
  if (origin === 'member') draft.memberTexts.push(text)
  if (!trusted && text.length > MAX_NAME_LENGTH) draft.foreignTexts.push(text)
  if (output?.closed === true && isName(text)) addName(draft.listed, draft.names, text)
  const field = { name: nameOf(place), text, output, trusted }
  const record = recordOf(place)
  if (record === undefined) draft.alone.push(field)
  else {
    const fields = draft.records.get(record)
    if (fields === undefined) draft.records.set(record, [field])
    else fields.push(field)
  }
}

function addTrusted(draft: Draft, value: Json, text: string, output: FlowOutput | undefined): void {
  const type = output?.type ?? 'text'
  const number = numberOf(value)
  if (number !== undefined && (type === 'amount' || type === 'number' || type === 'text')) draft.numbers.push(number)
  if (type === 'date' && isMoment(text)) (output?.today === true ? draft.today : draft.moments).push(text)
  if (isClosedType(type)) return
  // A handle that a system gave to a record says that the record exists, not that it is the one that was meant.
  if (type === 'identifier') addName(draft.listed, draft.names, text)
  else if (text.length <= MAX_DESCRIPTION_LENGTH) draft.recorded.add(canonicalText(text))
  if (type === 'text') draft.texts.push(text)
}

function addName(listed: Set<string>, names: Set<string>, text: string): void {
  const canonical = canonicalText(text)
  listed.add(canonical)
  for (const word of canonical.split(' ')) if (/\p{L}/u.test(word)) names.add(word)
}

/** The lines of a list, without a heading before a colon. */
function membersOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) =>
      line
        .replace(/^[^:]{0,60}:\s*/, '')
        .replace(/^[-*\s]+/, '')
        .trim(),
    )
    .filter((line) => line !== '')
}

/** The object that a leaf belongs to; a list of plain values inside it belongs to it too. Undefined for a leaf that stands alone. */
function recordOf(place: Place | undefined): Place | undefined {
  let at = place
  while (at !== undefined && typeof at.key === 'number') at = at.above
  return at === undefined ? undefined : (at.above ?? ROOT)
}

const ROOT: Place = { key: '', above: undefined }

function describe(draft: Draft, task: Task): ReadonlyMap<string, ReadonlySet<string>> {
  const described = new Map<string, Set<string>>()
  const add = (name: string, phrase: string, value: string) => {
    const key = `${name}\u0000${phrase}`
    const values = described.get(key)
    if (values === undefined) described.set(key, new Set([value]))
    else values.add(value)
  }
  for (const fields of [...draft.records.values(), ...draft.alone.map((field) => [field])]) {
    const targets = fields.filter(isTarget)
    if (targets.length === 0) continue
    const phrases = new Set(fields.flatMap((field) => phrasesOf(field, task)))
    for (const target of targets) for (const phrase of phrases) add(target.name, phrase, canonicalText(target.text))
  }
  return described
}

/** A field whose value can select its record: a handle, or a member of a closed set. */
function isTarget({ output, trusted, text }: Field): boolean {
  if (output === undefined || !(trusted || output.closed === true) || !isName(text)) return false
  return ['identifier', 'recipient', 'url', 'path'].includes(output.type)
}

/**
 * The phrases of the task that describe a field: its whole value, a day together with a time, or a word of a name that people shorten.
 * Words of other fields describe nothing: "a hotel in Oslo" is not the Oslo Plaza Hotel.
 */
function phrasesOf({ text, output, trusted }: Field, task: Task): readonly string[] {
  if (output?.type === 'date' && text.length > DAY_LENGTH && isNamedMoment(text, [task.moments([])])) return [text]
  if (text.length > MAX_DESCRIPTION_LENGTH || output === undefined || isClosedType(output.type) || !/\p{L}{3}/u.test(text))
    return []
  const whole = canonicalText(text)
  const found = !isGrammar(whole) && hasPhrase(task.text, whole) ? [whole] : []
  if (output.spoken !== 'part' || !(trusted || output.closed === true)) return found
  const words = text.toLowerCase().split(/[^\p{L}]+/u)
  return [...found, ...words.filter((word) => isTelling(word) && task.stems.has(stem(word))).map(stem)]
}

/** True for a word that can tell one member of a set from another: not grammar, and not the name of a month or a day. */
function isTelling(word: string): boolean {
  return word.length >= 3 && !isGrammar(word) && !CALENDAR.has(word)
}

const CALENDAR = new Set(
  'january february march april may june july august september october november december monday tuesday wednesday thursday friday saturday sunday'.split(
    ' ',
  ),
)
