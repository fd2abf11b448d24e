import { type DetailedError, type PolicyJson, policyToJson, templateToJson } from '@cedar-policy/cedar-wasm/nodejs'
import type { EstPolicy } from '@tidegate/kernel'
import { CedarError } from '../error.ts'

export type ParsedPolicy =
  | { readonly ok: true; readonly policy: EstPolicy; readonly template: boolean }
  | { readonly ok: false; readonly errors: readonly DetailedError[] }

/** Strings and comments, then words, then numbers: only a number by itself is a number. */
const TOKEN = /"(?:[^"\\]|\\[\s\S])*"|\/\/[^\n]*|[A-Za-z_][A-Za-z0-9_]*|[0-9]+/g
/** A slot outside of strings makes a policy a template. */
const SLOT = /\?(?:principal|resource)\b/
/** Numbers with fewer digits are safe integers. */
const SAFE_DIGITS = 15

/**
 * Parses the text of one policy or template with Cedar's parser, and keeps its whole numbers exact.
 *
 * Cedar's parser runs in WebAssembly and hands its result over as JSON, which rounds what is beyond 2^53. Large numbers are therefore
 * taken out first, as marked strings, and put back as bigints; the policy as it was written must parse as well.
 */
export function parsePolicyExactly(text: string): ParsedPolicy {
  const template = SLOT.test(text.replace(TOKEN, (token) => (/^["/]/.test(token) ? ' ' : token)))
  const parse = template ? templateToJson : policyToJson
  const answer = guarded(() => parse(text))
  if (answer.type === 'failure') return { ok: false, errors: answer.errors }
  const large = largeNumbersOf(text)
  if (large.length === 0) return { ok: true, policy: asEst(answer.json), template }
  const mark = markFor(text)
  const marked = guarded(() => parse(text.replace(TOKEN, (token) => (large.includes(token) ? `"${mark}${token}"` : token))))
  if (marked.type === 'failure') return { ok: false, errors: marked.errors }
  return { ok: true, policy: asEst(restore(marked.json, mark)), template }
}

/** Runs Cedar. A trap inside its WebAssembly leaves the instance unusable: say so, rather than let it look like a wrong policy. */
export function guarded<T>(call: () => T): T {
  try {
    return call()
  } catch (cause) {
    throw new CedarError('policy_engine', 'the Cedar engine has crashed: restart the process, and report the policy', { cause })
  }
}

function largeNumbersOf(text: string): readonly string[] {
  return [...text.matchAll(TOKEN)].map(([token]) => token).filter((token) => /^[0-9]/.test(token) && token.length > SAFE_DIGITS)
}

/** A beginning of strings that the text does not have, so that no string of its own can be taken for a number. */
function markFor(text: string): string {
  let mark = 'long:'
  while (text.includes(mark)) mark = `long${mark}`
  return mark
}

/** Puts the numbers back. A minus in front of a number is part of it, and stands apart in front of a string. */
function restore(node: unknown, mark: string): unknown {
  if (Array.isArray(node)) return node.map((element) => restore(element, mark))
  if (typeof node !== 'object' || node === null) return node
  const negated = 'neg' in node ? numberOf(argumentOf(node.neg), mark) : undefined
  if (negated !== undefined) return { Value: -negated }
  const number = numberOf(node, mark)
  if (number !== undefined) return { Value: number }
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, restore(value, mark)]))
}

function argumentOf(operand: unknown): unknown {
  return typeof operand === 'object' && operand !== null && 'arg' in operand ? operand.arg : undefined
}

function numberOf(node: unknown, mark: string): bigint | undefined {
  if (typeof node !== 'object' || node === null || !('Value' in node)) return undefined
  return typeof node.Value === 'string' && node.Value.startsWith(mark) ? BigInt(node.Value.slice(mark.length)) : undefined
}

/** Sound: this is what Cedar's parser gives; the compiler checks what it reads of it. */
function asEst(json: unknown): EstPolicy {
  const policy: Pick<PolicyJson, 'effect'> = json as PolicyJson
  return policy as EstPolicy
}
