import type { FlowContext } from './context.ts'
import { sinkKey } from './context.ts'
import { isNamedMoment } from './date.ts'
import { evidenceIn } from './evidence-in.ts'
import type { FlowInput } from './flow.ts'
import { isDerived, numberOf } from './quantity.ts'
import { referencesIn } from './reference.ts'
import { canonicalText, hasPhrase, isGrammar, stem, wordsOf } from './words.ts'

/** How well a target is known, from worst to best. docs/spec/labels.md, section 4. */
export const TARGET_GRADES = ['unknown', 'listed', 'recorded', 'named'] as const
export type TargetGrade = (typeof TARGET_GRADES)[number]

/**
 * Grades a target. The only implicit lowering of integrity there is, and only for values that select: by finding the value, bounded by
 * words and in canonical form, where no third party writes. Being found is evidence about the value, never about the intent.
 */
export function gradeTarget(context: FlowContext, value: string | number, sink: SinkPlace): TargetGrade {
  const phrase = canonicalText(String(value))
  if (phrase === '') return 'unknown'
  if (context.endorsed.get(sinkKey(sink.operation, sink.pointer))?.has(phrase) === true) return 'named'
  if (isNamedByTask(context, phrase, sink) || isDescribed(context, phrase)) return 'named'
  let listed = false
  for (const evidence of evidenceIn(context.seen)) {
    if (evidence.recorded.has(phrase) || hasPhrase(evidence.recordedText, phrase))
      return sink.type === 'identifier' ? 'listed' : 'recorded'
    listed ||= evidence.listed.has(phrase) || hasPhrase(evidence.memberText, phrase)
  }
  return listed ? 'listed' : 'unknown'
}

/** Which sink of which operation. */
export interface SinkPlace {
  readonly operation: string
  readonly pointer: string
  readonly type: FlowInput['type']
}

/** A bare number of up to three digits names nothing by itself: "13 people" is not event 13. */
function isNamedByTask(context: FlowContext, phrase: string, { operation, pointer }: SinkPlace): boolean {
  const task = context.task()
  if (!/^\d{1,3}$/.test(phrase)) return hasPhrase(task.text, phrase)
  const nouns = `${operation} ${pointer}`.toLowerCase().split(/[^a-z]+/)
  return ['id', 'number', 'no', 'nr', ...nouns].some((noun) => noun.length > 1 && hasPhrase(task.text, `${noun} ${phrase}`))
}

/**
 * True when the task describes the record of this value, and of no other: a phrase of the task stands in the record, and in no record
 * with another value. A third party who writes a record with the same words makes the description ambiguous, and so loses.
 */
function isDescribed({ seen }: FlowContext, phrase: string): boolean {
  const all = evidenceIn(seen)
  if (all.some((evidence) => evidence.cut)) return false
  return all.some((evidence) => {
    for (const [key, values] of evidence.described) {
      if (values.has(phrase) && values.size === 1 && all.every((other) => isOnly(other.described.get(key), phrase))) return true
    }
    return false
  })
}

function isOnly(values: ReadonlySet<string> | undefined, phrase: string): boolean {
  return values === undefined || (values.size === 1 && values.has(phrase))
}

/** True when an amount is one that the task names, that trusted records hold, or that follows from these by bounded arithmetic. */
export function isGroundedAmount(context: FlowContext, value: unknown): boolean {
  const amount = numberOf(value)
  if (amount === undefined) return false
  if (context.task().quantities.some((quantity) => !quantity.percent && quantity.value === amount)) return true
  const recorded = evidenceIn(context.seen).flatMap(({ numbers }) => numbers)
  return recorded.includes(amount) || isDerived(amount, context.task().quantities, [...new Set(recorded)])
}

/** True when a value of a closed type, a secret or a name that selects nothing is grounded. */
export function isGroundedValue(
  context: FlowContext,
  value: string | number | boolean,
  input: FlowInput,
  place: SinkPlace,
): boolean {
  const task = context.task()
  const phrase = canonicalText(String(value))
  switch (input.type) {
    case 'flag':
      return nouns(place.pointer).some((noun) => task.stems.has(stem(noun)))
    case 'enum':
      return hasPhrase(task.text, phrase) || (input.words?.[String(value)] ?? []).some((word) => task.stems.has(stem(word)))
    case 'number':
    case 'amount':
      return isGroundedAmount(context, value)
    case 'date':
      return typeof value === 'string' && isNamedMoment(value, context.moments())
    // A secret is grounded only when the task spells it out in quotation marks: any other word of the task would be a weak one.
    case 'secret':
      return typeof value === 'string' && task.quoted.has(phrase) && task.raw.some((raw) => raw.includes(value))
    default: {
      const grade = gradeTarget(context, String(value), place)
      return grade === 'named' || grade === 'recorded'
    }
  }
}

function nouns(pointer: string): readonly string[] {
  return (pointer.split('/').at(-1) ?? '').split(/[^a-zA-Z]+/).filter((word) => word.length > 2)
}

const MAX_COMPOSED_WORDS = 200

/**
 * Grades a free text, from best to worst. `task`: composed of the task's own words, of names from closed sets, and of words that carry only
 * grammar; `prose`: other words of the planner's; `relayed`: it copies a run of words that a third party wrote; `carrying`: it points to
 * something (a link, an address, an account, a code) that nothing trusted names.
 */
export function gradeText(context: FlowContext, text: string): 'task' | 'prose' | 'relayed' | 'carrying' {
  const canonical = canonicalText(text)
  if (hasPhrase(context.task().text, canonical)) return 'task'
  const words = canonical.split(' ')
  if (words.length <= MAX_COMPOSED_WORDS && isComposed(context, words)) return 'task'
  const references = referencesIn(text, canonical)
  if (references?.every((reference) => isKnownReference(context, reference)) !== true) return 'carrying'
  return isRelayed(context, wordsOf(canonical)) ? 'relayed' : 'prose'
}

/** Words in a row that two people rarely choose independently. */
const RUN_LENGTH = 5

/** True when a run of words, or the whole of a shorter text, stands in something that a third party wrote, and not in the task. */
function isRelayed(context: FlowContext, words: readonly string[]): boolean {
  const told = evidenceIn(context.seen).flatMap((evidence) => evidence.foreignWords() || [])
  if (told.length === 0) return false
  const length = Math.min(RUN_LENGTH, words.length)
  for (let i = 0; i + length <= words.length; i++) {
    const run = words.slice(i, i + length)
    const said = run.filter((word) => !isGrammar(word) && !context.task().stems.has(stem(word)))
    if (said.length === 0) continue
    const phrase = run.join(' ')
    if (told.some((text) => hasPhrase(text, phrase))) return true
  }
  return false
}

/** True when every word is the task's own, a name, a moment of the task, a small count or grammar, and not all of them say nothing. */
function isComposed(context: FlowContext, words: readonly string[]): boolean {
  const told = evidenceIn(context.seen)
  let said = 0
  for (const word of words) {
    if (context.task().stems.has(stem(word)) || told.some(({ names }) => names.has(word))) said++
    else if (!isGrammar(word) && !SMALL_COUNT.test(word) && !isNamedMoment(word, context.moments())) return false
  }
  return said > 0
}

const SMALL_COUNT = /^\d{1,2}(?:-?(?:st|nd|rd|th))?$/

function isKnownReference(context: FlowContext, reference: string): boolean {
  if (hasPhrase(context.task().text, reference)) return true
  return evidenceIn(context.seen).some(({ listed, memberText }) => listed.has(reference) || hasPhrase(memberText, reference))
}
