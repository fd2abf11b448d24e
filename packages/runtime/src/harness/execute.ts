import {
  type ActionState,
  AMOUNT_MAX,
  backoffMs,
  type Connector,
  type ConnectorCall,
  type ConnectorFailure,
  type ConnectorResult,
  type EffectFinished,
  type Json,
  type Operation,
  type Reconciliation,
  type RunEvent,
  type RunState,
  sanitise,
  type ShapeResult,
  stopFor,
} from '@tidegate/kernel'
import type { HarnessParts } from './parts.ts'

/** How long past its own deadline a connector is waited for. */
const GRACE_MS = 1_000

/** The call of an action, as its connector gets it. */
export function callOf(
  parts: Pick<HarnessParts, 'secrets' | 'control'>,
  state: RunState,
  action: ActionState,
  operation: Operation,
): ConnectorCall {
  return {
    operation: operation.id,
    arguments: action.proposed.sealed.arguments,
    session: state.opened.call?.session ?? state.opened.run,
    effectId: `${state.opened.run}.${action.n}`,
    attempt: action.attempts,
    timeoutMs: operation.timeoutMs,
    secret: leaseOf(parts, state, operation),
  }
}

/** The call of a look: a stop does not take its secrets back, because looking is not acting, and what is not looked at stays unknown. */
export function lookOf(
  parts: Pick<HarnessParts, 'secrets' | 'control'>,
  state: RunState,
  action: ActionState,
  operation: Operation,
): ConnectorCall {
  return { ...callOf(parts, state, action, operation), secret: secretsOf(parts, operation) }
}

/** Hands out the declared secrets of one operation. */
export function secretsOf(parts: Pick<HarnessParts, 'secrets'>, operation: Operation): ConnectorCall['secret'] {
  return async (name) => {
    if (!operation.secrets.includes(name)) throw new Error(`${operation.id} does not declare the secret "${name}"`)
    return parts.secrets(name)
  }
}

/** True while a stop covers the run or the tool of the operation. */
export function isStopped(parts: Pick<HarnessParts, 'control'>, state: RunState, operation: Operation): boolean {
  const { agent, workflow, run } = state.opened
  return stopFor(parts.control.state.stops, { run, agent, workflow, tool: operation.tool }) !== undefined
}

/** True for a call of a host that nobody waits for any more: it does not start (docs/spec/hosts.md, Claims). */
export function isUnclaimed(
  { claims }: Pick<HarnessParts, 'claims'>,
  { opened }: RunState,
  purpose: ActionState['proposed']['purpose'],
): boolean {
  return opened.call !== undefined && purpose === 'act' && claims?.has(opened.run) === false
}

/** Hands out the declared secrets of one operation, until a stop takes them back (I7, I8). */
function leaseOf(
  parts: Pick<HarnessParts, 'secrets' | 'control'>,
  state: RunState,
  operation: Operation,
): ConnectorCall['secret'] {
  const { agent, workflow, run } = state.opened
  const declared = secretsOf(parts, operation)
  return async (name) => {
    const stop = stopFor(parts.control.state.stops, { run, agent, workflow, tool: operation.tool })
    if (stop !== undefined) throw new Error(`a stop over ${stop.scope} has taken back the lease`)
    return declared(name)
  }
}

/**
 * Executes an action whose `effect.started` is durable (I3), and answers the events that record the outcome.
 *
 * The stops are looked at once more, synchronously, before the call: a stop that was acknowledged in between finds that nothing
 * starts after it (I7). So is whether somebody still waits for the answer of a host's call. If we crash anywhere in here, the action is found `started` and is looked for, never repeated (I4).
 */
export async function execute(
  parts: HarnessParts,
  state: RunState,
  action: ActionState,
  operation: Operation,
): Promise<readonly RunEvent[]> {
  const startedAtMs = parts.clock.nowMs()
  if (isStopped(parts, state, operation)) {
    const stopped: ConnectorFailure = {
      kind: 'failed',
      failure: 'refused',
      retry: 'safe',
      message: 'a stop came before the call was made',
    }
    return finished(action, operation, stopped, 0, parts.clock.nowMs(), { counts: false })
  }
  if (isUnclaimed(parts, state, action.proposed.purpose)) {
    const left: ConnectorFailure = {
      kind: 'failed',
      failure: 'refused',
      retry: 'safe',
      message: 'whoever asked for it had left before the call was made',
    }
    return finished(action, operation, left, 0, parts.clock.nowMs(), { counts: false })
  }
  if (isLate(state, action)) {
    const late: ConnectorFailure = {
      kind: 'failed',
      failure: 'refused',
      retry: 'safe',
      message: 'the approval had lapsed when the start was recorded',
    }
    return finished(action, operation, late, 0, parts.clock.nowMs(), { counts: false })
  }
  const call = callOf(parts, state, action, operation)
  const { agent, workflow, run } = state.opened
  // Whoever stops something meanwhile is told that the call is under way.
  parts.inFlight.add(call.effectId, { run, agent, workflow, tool: operation.tool, operation: operation.id, sinceMs: startedAtMs })
  let result: ConnectorResult
  try {
    result = await answerOf(parts, operation, () => parts.registry.connectorOf(operation).execute(call))
  } finally {
    parts.inFlight.remove(call.effectId)
  }
  const nowMs = parts.clock.nowMs()
  if (result.kind === 'failed' && result.retry === 'safe' && result.failure !== 'timeout' && isStopped(parts, state, operation))
    return finished(action, operation, result, nowMs - startedAtMs, nowMs, { counts: false })
  // The models of all hosts are one operation, and one that fails must not close the others.
  const fault =
    operation.isPlanner !== true && result.kind === 'failed' && (result.failure === 'timeout' || result.failure === 'unavailable')
  const counted = parts.breakers.count(operation.id, fault ? 'fault' : 'ok')
  if (counted !== undefined) await counted
  const durationMs = nowMs - startedAtMs
  return [...usageOf(result, durationMs), ...finished(action, operation, result, durationMs, nowMs, { counts: true })]
}

/** What the call used of a model, for meters. Request and reply stand in the action already. A number that is none counts as the most (I6). */
function usageOf({ kind, usage }: ConnectorResult, durationMs: number): readonly RunEvent[] {
  if (usage === undefined) return []
  const amount = (value: number): number => (Number.isSafeInteger(value) && value >= 0 ? Math.min(value, AMOUNT_MAX) : AMOUNT_MAX)
  const { model, inputTokens, outputTokens, costMicros } = usage
  return [
    {
      type: 'model.called',
      model: model.slice(0, MAX_MODEL),
      inputTokens: amount(inputTokens),
      outputTokens: amount(outputTokens),
      costMicros: amount(costMicros),
      durationMs,
      result: kind,
      sealed: { request: null, reply: null },
    },
  ]
}

const MAX_MODEL = 200

/** I5: true when the journal recorded the start only after the deadline of the approval that it uses. */
function isLate(state: RunState, { approval, planned }: ActionState): boolean {
  const used = state.approvals.get(planned ?? approval ?? '')
  return used !== undefined && state.updatedAtMs >= used.question.deadlineMs
}

/** Calls a connector so that it always answers: an exception or silence is a failure that may have had an effect. */
export async function answerOf(
  parts: Pick<HarnessParts, 'clock'>,
  operation: Operation,
  call: () => Promise<ConnectorResult>,
): Promise<ConnectorResult> {
  const unknown = operation.mutability === 'read' ? ('safe' as const) : ('unknown' as const)
  const failed = (failure: ConnectorFailure['failure'], message: string): ConnectorFailure => {
    return { kind: 'failed', failure, retry: unknown, message }
  }
  const result = await withDeadline(parts, operation.timeoutMs + GRACE_MS, call, {
    silent: () => failed('timeout', `no answer within ${operation.timeoutMs} ms`),
    thrown: () => failed('unavailable', 'the connector broke off'),
  })
  if (result.kind === 'failed') return result.retry === 'unknown' ? { ...result, retry: unknown } : result
  const shaped = shapeOf(operation, result.output)
  const used = result.usage === undefined ? {} : { usage: result.usage }
  if (shaped.ok) return { kind: 'done', output: shaped.value, complete: result.complete, ...used }
  const issues = shaped.issues.map((issue) => `${issue.path || '(root)'}: ${issue.message}`)
  const message = `the answer is not what ${operation.id} declares: ${issues.slice(0, 3).join('; ')}`
  const retry = operation.mutability === 'read' ? 'never' : 'unknown'
  return { kind: 'failed', failure: 'invalid_output', retry, message, ...used }
}

/** The output in normal form; a validator that throws has not accepted it. */
function shapeOf(operation: Operation, output: Json): ShapeResult {
  try {
    return operation.output.parse(output)
  } catch {
    return { ok: false, issues: [{ path: '', message: 'the validator of this operation failed' }] }
  }
}

/** Looks for an effect whose outcome is not known; answers the events that record what was found. */
export async function reconcile(
  parts: HarnessParts,
  state: RunState,
  action: ActionState,
  operation: Operation | undefined,
): Promise<readonly RunEvent[]> {
  const nowMs = parts.clock.nowMs()
  const found =
    operation === undefined
      ? ({ kind: 'unknown', message: 'the operation is no longer declared' } as const)
      : await lookFor(parts, state, action, operation)
  const about = { type: 'effect.reconciled', action: action.n, attempt: action.attempts } as const
  if (found.kind === 'happened' || found.kind === 'doubled') {
    const shaped = operation === undefined ? undefined : shapeOf(operation, found.output)
    const output = shaped?.ok ? sanitise(shaped.value).value : null
    return [{ ...about, found: found.kind, lookAgainAtMs: null, sealed: { output, message: '' } }]
  }
  if (found.kind === 'unknown') {
    const lookAgainAtMs = operation !== undefined && action.looks < MAX_LOOKS ? nowMs + backoffMs(action.looks + 2) : null
    return [{ ...about, found: 'unknown', lookAgainAtMs, sealed: { output: null, message: found.message } }]
  }
  const event: RunEvent = { ...about, found: found.kind, lookAgainAtMs: null, sealed: { output: null, message: '' } }
  const again = operation !== undefined && action.attempts < operation.maxAttempts
  return again ? [event, { type: 'retry.scheduled', action: action.n, atMs: nowMs + backoffMs(action.attempts) }] : [event]
}

const MAX_LOOKS = 5

type Found = Reconciliation | { readonly kind: 'repeatable' }

async function lookFor(parts: HarnessParts, state: RunState, action: ActionState, operation: Operation): Promise<Found> {
  if (operation.mutability === 'read') return { kind: 'repeatable' }
  if (operation.canReconcile) {
    const connector = parts.registry.connectorOf(operation)
    const call = lookOf(parts, state, action, operation)
    const silent = () => ({ kind: 'unknown', message: 'the look-up did not answer' }) as const
    const found = await withDeadline(parts, operation.timeoutMs + GRACE_MS, () => connector.reconcile(call), {
      silent,
      thrown: silent,
    })
    if (found.kind !== 'unknown') return found
    return operation.idempotency === 'key' ? { kind: 'repeatable' } : found
  }
  if (operation.idempotency === 'key') return { kind: 'repeatable' }
  return { kind: 'unknown', message: `${operation.id} has no way to look whether it happened` }
}

/** How often a compensation is looked at before a person is told that the world does not show it. */
const MAX_VERIFIES = 3

/** Looks whether a compensation is in the world. One look that fails proves nothing, so it looks again before it says no. */
export async function verify(
  parts: HarnessParts,
  state: RunState,
  action: ActionState,
  operation: Operation | undefined,
): Promise<RunEvent> {
  const about = { type: 'effect.verified', action: action.n } as const
  if (operation === undefined || !operation.canVerify) {
    return { ...about, holds: false, sealed: { detail: 'the operation declares no way to look at its result' } }
  }
  const connector: Connector = parts.registry.connectorOf(operation)
  const call = lookOf(parts, state, action, operation)
  const silent = () => ({ holds: false, detail: 'looking at the result failed' })
  const look = () =>
    withDeadline(parts, operation.timeoutMs + GRACE_MS, () => connector.verify(call, action.output), { silent, thrown: silent })
  let seen = await look()
  for (let looks = 1; !seen.holds && looks < MAX_VERIFIES; looks++) {
    await pause(parts, backoffMs(looks))
    seen = await look()
  }
  return { ...about, holds: seen.holds, sealed: { detail: seen.detail } }
}

function pause(parts: Pick<HarnessParts, 'clock'>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    parts.clock.at(parts.clock.nowMs() + ms, resolve)
  })
}

/** Waits for an answer until the time is up; an exception is answered like silence, in its own words. */
function withDeadline<T>(
  parts: Pick<HarnessParts, 'clock'>,
  limitMs: number,
  call: () => Promise<T>,
  { silent, thrown }: { readonly silent: () => T; readonly thrown: () => T },
): Promise<T> {
  return new Promise((resolve) => {
    const cancel = parts.clock.at(parts.clock.nowMs() + limitMs, () => resolve(silent()))
    const answer = (given: T): void => {
      cancel()
      resolve(given)
    }
    try {
      call().then(answer, () => answer(thrown()))
    } catch {
      answer(thrown())
    }
  })
}

/** How many findings are recorded, and how much of where each was: they stand in the leaf, and the far side makes them. */
const MAX_FINDINGS = 50
const MAX_PATH = 200

function finished(
  action: ActionState,
  operation: Operation,
  result: ConnectorResult,
  durationMs: number,
  nowMs: number,
  { counts }: { counts: boolean },
): readonly RunEvent[] {
  if (result.kind === 'done') {
    const { value, findings } = sanitise(result.output)
    const done: EffectFinished = {
      action: action.n,
      attempt: action.attempts,
      code: null,
      complete: result.complete,
      durationMs,
      failure: null,
      findings: findings.slice(0, MAX_FINDINGS).map(({ path, kind }) => ({ kind, path: path.slice(0, MAX_PATH) })),
      result: 'done',
      retry: null,
      sealed: { output: value, message: '' },
      type: 'effect.finished',
    }
    return [done]
  }
  const { failure, retry, message, code = null } = result
  const event: EffectFinished = {
    action: action.n,
    attempt: action.attempts,
    code,
    complete: true,
    durationMs,
    failure,
    findings: [],
    result: 'failed',
    retry,
    sealed: { output: null, message },
    type: 'effect.finished',
  }
  if (retry === 'unknown')
    return [event, { type: 'effect.ambiguous', action: action.n, attempt: action.attempts, why: 'unknown_outcome' }]
  const again = retry === 'safe' && (!counts || action.attempts < operation.maxAttempts)
  return again
    ? [event, { type: 'retry.scheduled', action: action.n, atMs: nowMs + backoffMs(action.attempts, result.retryAfterMs) }]
    : [event]
}
