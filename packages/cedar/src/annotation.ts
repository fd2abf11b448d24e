import type { ApproverRule, MatchedForbid } from '@tidegate/kernel'
import type { Effect } from '@cedar-policy/cedar-wasm/nodejs'
import type { CedarErrorCode } from './error.ts'
import { didYouMean } from './nearest.ts'

/** What the annotations of a policy say. `outcome` is `allow` exactly for a permit. */
export interface Annotated {
  readonly id: string
  readonly reason: string
  readonly outcome: 'allow' | MatchedForbid['outcome']
  /** Non-empty exactly when the outcome is `ask`. */
  readonly approvers: readonly ApproverRule[]
}

export interface AnnotationProblem {
  readonly code: CedarErrorCode
  /** The annotation it is about, for finding its place; undefined when one is missing. */
  readonly annotation?: string
  readonly message: string
}

export type AnnotationResult =
  | { readonly ok: true; readonly value: Annotated }
  | { readonly ok: false; readonly problems: readonly AnnotationProblem[] }

const KNOWN = ['id', 'outcome', 'approvers', 'reason']
const OUTCOMES = ['ask', 'dry_run', 'deny'] as const
const ID = /^[a-z0-9]+(?:[.-][a-z0-9]+)*$/
const MAX_ID_LENGTH = 64
const MAX_REASON_LENGTH = 300
const APPROVER = /^role:([a-z0-9]+(?:-[a-z0-9]+)*)(?: x([1-9]))?$/
const MAX_APPROVER_RULES = 8

/**
 * Reads the annotations of one policy.
 *
 * Cedar keeps annotations and ignores them, so everything is checked here: an annotation that we do not know is a mistake (a
 * misspelt `@approvers` would drop the approvers), and a permit has no outcome to soften, since permits are a union and another one
 * would allow without it.
 */
export function parseAnnotations(effect: Effect, annotations: Readonly<Record<string, string>>): AnnotationResult {
  const problems: AnnotationProblem[] = []
  const wrong = (annotation: string, message: string) => problems.push({ code: 'policy_annotation', annotation, message })
  for (const name of Object.keys(annotations)) {
    if (!KNOWN.includes(name)) wrong(name, `@${name} is not an annotation that Tidegate knows${didYouMean(name, KNOWN)}`)
  }
  const id = annotations.id
  problems.push(...problemsOfId(id))
  const outcome = annotations.outcome
  if (effect === 'permit') {
    for (const name of ['outcome', 'approvers']) {
      if (annotations[name] !== undefined) wrong(name, `a permit takes no @${name}: write a forbid that asks, beside the permit`)
    }
  } else {
    if (outcome !== undefined && !isOutcome(outcome)) wrong('outcome', `@outcome must be one of ${OUTCOMES.join(', ')}`)
    if (annotations.reason === undefined)
      problems.push({ code: 'policy_annotation', message: 'a forbid needs a @reason that people understand' })
  }
  const reason = annotations.reason
  if (reason !== undefined && !isPlain(reason))
    wrong('reason', `@reason must be one line of 1 to ${MAX_REASON_LENGTH} characters`)
  const approvers = effect === 'permit' ? [] : readApprovers(outcome, annotations.approvers, problems)
  if (problems.length > 0 || id === undefined) return { ok: false, problems }
  if (effect === 'permit')
    return { ok: true, value: { id, reason: reason ?? `permitted by ${id}`, outcome: 'allow', approvers: [] } }
  return { ok: true, value: { id, reason: reason ?? '', outcome: isOutcome(outcome) ? outcome : 'deny', approvers } }
}

function problemsOfId(id: string | undefined): readonly AnnotationProblem[] {
  if (id === undefined)
    return [{ code: 'policy_id', message: 'every policy needs an @id("...") of its own: decisions and approvals name it' }]
  if (ID.test(id) && id.length <= MAX_ID_LENGTH) return []
  return [
    {
      code: 'policy_id',
      annotation: 'id',
      message: `@id must be lower case words joined by - or ., ${MAX_ID_LENGTH} characters at most`,
    },
  ]
}

/** Pushes what is wrong to `problems`. */
function readApprovers(
  outcome: string | undefined,
  text: string | undefined,
  problems: AnnotationProblem[],
): readonly ApproverRule[] {
  if (outcome !== 'ask') {
    if (text !== undefined)
      problems.push({ code: 'policy_annotation', annotation: 'approvers', message: '@approvers goes with @outcome("ask") only' })
    return []
  }
  const rules = text === undefined ? undefined : parseApprovers(text)
  if (rules !== undefined) return rules
  const message =
    'asking needs @approvers, such as @approvers("role:billing-lead") or @approvers("role:billing-lead x2, role:finance")'
  problems.push({ code: 'policy_annotation', ...(text === undefined ? {} : { annotation: 'approvers' }), message })
  return []
}

/**
 * Parses `role:<role>[ x<count>]`, separated by commas. Undefined when anything about it is not exactly that, names a role twice, or
 * asks for more than nine people of one role.
 */
export function parseApprovers(text: string): readonly ApproverRule[] | undefined {
  const parts = text.split(',').map((part) => APPROVER.exec(part.trim()))
  const rules = parts.flatMap((part) => (part?.[1] === undefined ? [] : [{ role: part[1], count: Number(part[2] ?? '1') }]))
  if (rules.length !== parts.length || rules.length > MAX_APPROVER_RULES) return undefined
  return new Set(rules.map((rule) => rule.role)).size === rules.length ? rules : undefined
}

function isOutcome(text: string | undefined): text is (typeof OUTCOMES)[number] {
  return OUTCOMES.some((outcome) => outcome === text)
}

function isPlain(text: string): boolean {
  return text.trim() !== '' && text.length <= MAX_REASON_LENGTH && !/\p{Cc}/u.test(text)
}
