import { uidText } from './text.ts'
import { EntityUid, kindOf } from './value.ts'

/** Why the evaluation of a policy can fail. All of Cedar's reasons, and `invalid_value`: a value that Cedar does not have. */
export const FAILURE_KINDS = [
  'type',
  'entity_missing',
  'entity_attribute_missing',
  'tag_missing',
  'record_attribute_missing',
  'overflow',
  'extension',
  'argument_count',
  'invalid_value',
] as const

export type FailureKind = (typeof FAILURE_KINDS)[number]

/**
 * Thrown inside the evaluation of one policy, and caught by whoever evaluates it: it never leaves this folder.
 *
 * Not an Error: a policy that fails is an answer, and recording a stack would cost more than the decision.
 */
export class EvaluationFailure {
  readonly kind: FailureKind
  /** In Cedar's own words. */
  readonly message: string

  constructor(kind: FailureKind, message: string) {
    this.kind = kind
    this.message = message
  }
}

/** How Cedar calls the types that an operator takes. */
export type Expected = 'bool' | 'long' | 'string' | 'set' | 'record' | 'decimal' | 'ipaddr' | 'datetime' | 'duration' | 'entity'

/** A value had the wrong type. */
export function typeFailure(expected: readonly Expected[], actual: unknown): EvaluationFailure {
  const kind = kindOf(actual)
  if (kind === undefined) return invalidValue(actual)
  const got = actual instanceof EntityUid ? `(entity of type \`${actual.type}\`)` : kind
  const names = expected.map((name) => (name === 'entity' ? '(entity of type `any_entity_type`)' : name))
  const wanted = names.length === 1 ? names[0] : `one of [${names.join(', ')}]`
  return new EvaluationFailure('type', `type error: expected ${wanted}, got ${got}`)
}

/** The caller passed something that is no value of Cedar's: a fraction, null, a function. */
export function invalidValue(value: unknown): EvaluationFailure {
  const what = value === null ? 'null' : typeof value === 'number' ? `the number ${value}` : `a ${typeof value}`
  return new EvaluationFailure('invalid_value', `${what} is not a value that policies know`)
}

export function missingEntity(uid: EntityUid): EvaluationFailure {
  return new EvaluationFailure('entity_missing', `entity \`${uidText(uid)}\` does not exist`)
}

export function missingEntityAttribute(uid: EntityUid, attribute: string): EvaluationFailure {
  return new EvaluationFailure('entity_attribute_missing', `\`${uidText(uid)}\` does not have the attribute \`${attribute}\``)
}

export function missingTag(uid: EntityUid, tag: string): EvaluationFailure {
  return new EvaluationFailure('tag_missing', `\`${uidText(uid)}\` does not have the tag \`${tag}\``)
}

export function missingRecordAttribute(attribute: string): EvaluationFailure {
  return new EvaluationFailure('record_attribute_missing', `record does not have the attribute \`${attribute}\``)
}

export function extensionFailure(name: string, message: string): EvaluationFailure {
  return new EvaluationFailure('extension', `error while evaluating \`${name}\` extension function: ${message}`)
}

export function argumentCountFailure(name: string, expected: number, actual: number): EvaluationFailure {
  const message = `wrong number of arguments provided to extension function \`${name}\`: expected ${expected}, got ${actual}`
  return new EvaluationFailure('argument_count', message)
}
