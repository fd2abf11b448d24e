import type { JsonObject, MalformedCall, ModelResult, ModelTool, ReadableCall } from '@tidegate/kernel'
import { EXTRACT_TOOL } from './extraction.ts'
import { PLAN_TOOL } from './plan.ts'
import { CONTROL_TOOLS } from './prompt.ts'

/** What the planner makes of a reply of its model. */
export type Reading =
  | { readonly kind: 'proposed'; readonly call: ReadableCall; readonly text: string }
  | { readonly kind: 'extracts'; readonly call: ReadableCall }
  | { readonly kind: 'planned'; readonly call: ReadableCall }
  | { readonly kind: 'finished'; readonly reason: string }
  | { readonly kind: 'escalated'; readonly reason: string }
  | { readonly kind: 'malformed'; readonly call: MalformedCall }
  | { readonly kind: 'no_call' }
  | { readonly kind: 'refused'; readonly reason: string }

const MAX_REASON_LENGTH = 2_000

/**
 * Reads a reply. One action per turn: of several calls only the first counts, the others are recorded and never proposed. A call of
 * a tool that was never offered is proposed as it is, so that it is denied and recorded like any other.
 */
export function readReply(result: Exclude<ModelResult, { kind: 'failed' }>, offered: readonly ModelTool[]): Reading {
  if (result.kind === 'refused') return { kind: 'refused', reason: clip(result.text) }
  const call = result.kind === 'calls' ? result.calls[0] : undefined
  if (call === undefined || result.kind !== 'calls') return { kind: 'no_call' }
  if (call.arguments === null) return { kind: 'malformed', call }
  if (call.name === CONTROL_TOOLS.finish) return { kind: 'finished', reason: reasonOf(call.arguments) }
  if (call.name === CONTROL_TOOLS.escalate) return { kind: 'escalated', reason: reasonOf(call.arguments) }
  const isOffered = offered.some(({ name }) => name === call.name)
  if (isOffered && call.name === EXTRACT_TOOL.name) return { kind: 'extracts', call }
  if (isOffered && call.name === PLAN_TOOL) return { kind: 'planned', call }
  return { kind: 'proposed', call, text: result.text }
}

function reasonOf({ reason }: JsonObject): string {
  return typeof reason === 'string' && reason !== '' ? clip(reason) : 'the model gave no reason'
}

/** The beginning of a text that may be of any length. */
export function clip(text: string, length = MAX_REASON_LENGTH): string {
  return text.length > length ? `${text.slice(0, length)} [cut]` : text
}
