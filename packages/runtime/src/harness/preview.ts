import {
  type ActionState,
  type Admitted,
  digestOf,
  type Json,
  type JsonObject,
  type Operation,
  type RunEvent,
  type RunState,
} from '@tidegate/kernel'
import { answerOf, lookOf, secretsOf } from './execute.ts'
import type { HarnessParts } from './parts.ts'
import type { ShownPreview } from './plan-approval.ts'

/** What a call would change, as far as it could be found out. */
export type Preview =
  | { readonly kind: 'none' }
  | { readonly kind: 'taken'; readonly digest: string; readonly value: Json }
  | { readonly kind: 'failed'; readonly failure: string; readonly message: string }

/** Asks the connector what a call would change. */
export async function previewOf(
  parts: HarnessParts,
  state: RunState,
  n: number,
  operation: Operation,
  args: JsonObject,
): Promise<Preview> {
  if (!operation.canPreview) return { kind: 'none' }
  const base = state.actions[n]
  const call =
    base === undefined ? { ...bareCall(parts, state, n, operation), arguments: args } : lookOf(parts, state, base, operation)
  const loose: Operation = {
    ...operation,
    mutability: 'read',
    output: { parse: (value) => ({ ok: true, value }), jsonSchema: {} },
  }
  const result = await answerOf(parts, loose, () => parts.registry.connectorOf(operation).preview(call))
  if (result.kind === 'failed') return { kind: 'failed', failure: result.failure, message: result.message }
  return { kind: 'taken', digest: digestOf(parts.hasher, result.output), value: result.output }
}

function bareCall(parts: HarnessParts, state: RunState, n: number, operation: Operation) {
  return {
    operation: operation.id,
    session: state.opened.call?.session ?? state.opened.run,
    effectId: `${state.opened.run}.${n}`,
    attempt: 0,
    timeoutMs: operation.timeoutMs,
    secret: secretsOf(parts, operation),
  }
}

/** The preview of a call that may be approved beforehand. */
export async function shownPreview(parts: HarnessParts, state: RunState, n: number, admitted: Admitted): Promise<ShownPreview> {
  const taken = await previewOf(parts, state, n, admitted.operation, admitted.arguments)
  return taken.kind === 'none' ? null : taken.kind === 'failed' ? undefined : taken
}

/** The record of a preview. */
export function previewEvent(action: number, taken: Extract<Preview, { kind: 'taken' }>): RunEvent {
  return { type: 'preview.taken', action, digest: taken.digest, sealed: { preview: taken.value } }
}

/** Takes the preview of a dry run; answers the event that records it. */
export async function rehearse(parts: HarnessParts, state: RunState, action: ActionState): Promise<RunEvent> {
  const operation = parts.registry.find(action.proposed.operation)
  if (operation === undefined)
    return { type: 'preview.failed', action: action.n, sealed: { message: 'the operation is no longer declared' } }
  const taken = await previewOf(parts, state, action.n, operation, action.proposed.sealed.arguments as JsonObject) // normalised: digest is set
  if (taken.kind === 'taken') return previewEvent(action.n, taken)
  return {
    type: 'preview.failed',
    action: action.n,
    sealed: { message: taken.kind === 'failed' ? taken.message : 'the operation has no preview' },
  }
}
