import {
  type DetailedError,
  type Policy,
  type PolicyJson,
  policyToText,
  type TemplateLink,
  templateToText,
} from '@cedar-policy/cedar-wasm/nodejs'
import type { EstPolicy } from '@tidegate/kernel'
import { CedarError } from '../error.ts'
import { withSmallNumbers } from './check-inputs.ts'
import { parseExactJson } from './exact-json.ts'
import { guarded } from './exact-policy.ts'

/** A policy or template of a JSON file. */
export interface JsonPolicy {
  /** Undefined for a file that is one policy. */
  readonly id: string | undefined
  readonly template: boolean
  readonly policy: EstPolicy
  readonly asWritten: Policy
}

export interface PolicyJsonFile {
  readonly policies: readonly JsonPolicy[]
  readonly links: readonly TemplateLink[]
}

/**
 * Reads a file in Cedar's JSON form: a policy set (`staticPolicies`, `templates`, `templateLinks`), or one policy.
 *
 * @throws CedarError `policy_syntax` for what Cedar does not read as a policy.
 */
export function readPolicyJson(text: string, file: string): PolicyJsonFile {
  const json = parseExactJson(text, file, 'policy_syntax')
  if (!isObject(json)) throw refuse(file, 'a policy is an object')
  if (typeof json.effect === 'string') return { policies: [readOne(json, undefined, hasSlot(json), file)], links: [] }
  const read = (member: unknown, template: boolean) =>
    Object.entries(isObject(member) ? member : {}).map(([id, policy]) => readOne(policy, id, template, file))
  const links = Array.isArray(json.templateLinks) ? json.templateLinks.map((link: unknown) => readLink(link, file)) : []
  return { policies: [...read(json.staticPolicies, false), ...read(json.templates, true)], links }
}

function readOne(json: unknown, id: string | undefined, template: boolean, file: string): JsonPolicy {
  const policy: unknown = json
  const asWritten = withSmallNumbers(policy) as PolicyJson // sound: Cedar checks it in the next line
  const answer: { type: 'success' } | { type: 'failure'; errors: DetailedError[] } = guarded(() =>
    template ? templateToText(asWritten) : policyToText(asWritten),
  )
  if (answer.type === 'failure')
    throw refuse(file, `${id ?? 'the policy'}: ${answer.errors.map((error) => error.message).join('; ')}`)
  return { id, template, policy: policy as EstPolicy, asWritten }
}

function readLink(json: unknown, file: string): TemplateLink {
  if (isObject(json) && typeof json.templateId === 'string' && typeof json.newId === 'string' && isObject(json.values))
    return { templateId: json.templateId, newId: json.newId, values: json.values as TemplateLink['values'] } // checked when linked
  throw refuse(file, 'a link needs templateId, newId and values')
}

function hasSlot(json: Readonly<Record<string, unknown>>): boolean {
  return /"slot":"\?(?:principal|resource)"/.test(JSON.stringify([json.principal, json.resource]))
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

function refuse(file: string, message: string): CedarError {
  return new CedarError('policy_syntax', `${file}: ${message}`)
}
