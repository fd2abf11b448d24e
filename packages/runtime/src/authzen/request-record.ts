import { type ApproverRule, type EntityReference, isObject, type Json, type JsonObject, type RunState } from '@tidegate/kernel'
import { textsOf } from './binding.ts'

/** The workflow that asks people for access, and the one that records that an approval was used. */
export const ACCESS_WORKFLOW = 'access-request'
export const USE_WORKFLOW = 'access-use'
/** The source of the events that open runs of both. */
export const ACCESS_SOURCE = 'tidegate:access'
export const USE_SOURCE = 'tidegate:access-use'

/** What a run of {@link ACCESS_WORKFLOW} is about: its sealed input. Written by us alone, since the workflow is internal. */
export interface RequestRecord {
  readonly subject: EntityReference
  readonly action: { readonly name: string; readonly properties?: JsonObject }
  readonly resource: EntityReference
  readonly context: JsonObject
  /** Who must say yes: from the policies that asked, at the time of the request. */
  readonly approvers: readonly ApproverRule[]
  /** The policies that an approval satisfies. */
  readonly policies: readonly string[]
  readonly policyVersion: string
  readonly evaluationId: string
  readonly bindingHash: string
  readonly bindingMembers: readonly string[]
  /** Digest of the caller and their idempotency key; empty when they sent none. */
  readonly key: string
  /** Digest of the whole submission: the same key with another body is a mistake. */
  readonly body: string
  /** The person whose credential submitted it. */
  readonly submitter: string
  /** Until when at the latest, in milliseconds since the epoch; 0 when nothing was asked for. */
  readonly requestedUntilMs: number
  readonly emergency: boolean
  /** Why, in the words of whoever asks; may be empty. */
  readonly justification: string
}

/** A record as the input of a run. */
export function writeRecord(record: RequestRecord): JsonObject {
  const { subject, action, resource, approvers, policies, bindingMembers, ...plain } = record
  return {
    ...plain,
    subject: { ...subject },
    action: { ...action },
    resource: { ...resource },
    approvers: approvers.map(({ role, count }) => ({ role, count })),
    policies: [...policies],
    bindingMembers: [...bindingMembers],
  }
}

/** The record of a run that is about access; undefined for every other run. */
export function recordOf(state: RunState): RequestRecord | undefined {
  const { workflow, trigger, sealed } = state.opened
  if (workflow !== ACCESS_WORKFLOW || trigger.source !== ACCESS_SOURCE) return undefined
  return readRecord(sealed.input)
}

/** Reads what {@link writeRecord} wrote. */
export function readRecord(input: JsonObject): RequestRecord | undefined {
  const [subject, action, resource] = [entityOf(input.subject), actionOf(input.action), entityOf(input.resource)]
  const [approvers, policies, bindingMembers] = [
    approversOf(input.approvers),
    textsOf(input.policies),
    textsOf(input.bindingMembers),
  ]
  if (subject === undefined || action === undefined || resource === undefined || !isObject(input.context)) return undefined
  if (approvers === undefined || policies === undefined || bindingMembers === undefined) return undefined
  const text = (name: string): string => (typeof input[name] === 'string' ? input[name] : '')
  return {
    subject,
    action,
    resource,
    context: input.context,
    approvers,
    policies,
    bindingMembers,
    policyVersion: text('policyVersion'),
    evaluationId: text('evaluationId'),
    bindingHash: text('bindingHash'),
    key: text('key'),
    body: text('body'),
    submitter: text('submitter'),
    justification: text('justification'),
    requestedUntilMs: typeof input.requestedUntilMs === 'number' ? input.requestedUntilMs : 0,
    emergency: input.emergency === true,
  }
}

/** The approver rules in a list of `{role, count}`; undefined when it is anything else. */
export function approversOf(value: Json | undefined): readonly ApproverRule[] | undefined {
  if (!Array.isArray(value)) return undefined
  const rules = (value as readonly Json[]).flatMap((item) =>
    isObject(item) && typeof item.role === 'string' && typeof item.count === 'number' && item.count >= 1
      ? [{ role: item.role, count: item.count }]
      : [],
  )
  return rules.length === value.length ? rules : undefined
}

function entityOf(value: Json | undefined): EntityReference | undefined {
  if (!isObject(value) || typeof value.type !== 'string' || typeof value.id !== 'string') return undefined
  return { type: value.type, id: value.id, ...(isObject(value.properties) ? { properties: value.properties } : {}) }
}

function actionOf(value: Json | undefined): RequestRecord['action'] | undefined {
  if (!isObject(value) || typeof value.name !== 'string') return undefined
  return { name: value.name, ...(isObject(value.properties) ? { properties: value.properties } : {}) }
}
