import type { Decision, JsonObject, Outcome } from '@tidegate/kernel'
import type { Person } from '../api.ts'
import { createUlid } from '../id.ts'
import { type Applied, useApproval } from './approval.ts'
import { bindingHash, bindingMembers, instantOf, issueBindingToken } from './binding.ts'
import { mayAskFor } from './caller.ts'
import type { AuthZenParts } from './parts.ts'
import { type DecisionSource, type EvaluationAnswer, type EvaluationRequest, sourceOf } from './port.ts'

/** On the wire an ask is a denial that people can lift. */
const WIRE_OUTCOME: Readonly<Record<Outcome, string>> = {
  allow: 'allow',
  dry_run: 'dry_run',
  ask: 'require_approval',
  deny: 'deny',
}

/** What every answer of one evaluation carries. */
interface Stamp {
  readonly evaluationId: string
  readonly nowMs: number
}

/**
 * Decides one evaluation. Performs nothing: what is recorded is at most that an approval was used.
 *
 * 1. A global stop denies everything (I7). 2. What nobody declared is denied. 3. A denial that policy lets people lift says how to
 * ask. 4. An approval counts for what it was given for, in its time, once, and under the policies it was given under (I2); it turns
 * an ask into an allow and never a deny. 5. Whatever throws on the way is a denial (I6): the caller of this function sees to that.
 */
export async function evaluate(parts: AuthZenParts, request: EvaluationRequest, caller: Person): Promise<EvaluationAnswer> {
  const stamp = { evaluationId: createUlid(parts.clock, parts.entropy), nowMs: parts.clock.nowMs() }
  const stop = parts.control().stops.find(({ scope }) => scope === 'global')
  if (stop !== undefined) return denied(stamp, 'stopped', 'a stop over everything is in force')
  const source = sourceOf(parts.sources, request)
  if (source === undefined) return denied(stamp, 'unknown_subject_type', 'nothing is declared about subjects of this type')
  const judged = await source.judge(request, [])
  if (judged.kind === 'unknown') return denied(stamp, judged.code, judged.message)
  const { decision } = judged
  const approval = request.context.approval
  if (decision.outcome === 'allow') return { decision: true, context: explain(stamp, decision) }
  if (decision.outcome !== 'ask') {
    const terminal = approval === undefined ? {} : { next_action: 'none' }
    return { decision: false, context: { ...explain(stamp, decision), reason: 'policy_denied', ...terminal } }
  }
  if (approval === undefined) {
    return {
      decision: false,
      context: {
        ...explain(stamp, decision),
        reason: 'approval_required',
        ...askable(parts, { request, source, decision, stamp, caller }),
      },
    }
  }
  return reevaluate(parts, { request, source, decision, stamp, caller })
}

/** A denial for a reason of ours rather than of a policy. */
export function deniedFor(parts: AuthZenParts, code: string, message: string): EvaluationAnswer {
  return denied({ evaluationId: createUlid(parts.clock, parts.entropy), nowMs: parts.clock.nowMs() }, code, message)
}

function denied({ evaluationId, nowMs }: Stamp, code: string, message: string): EvaluationAnswer {
  const reasons = [{ id: `tidegate:${code.replaceAll('_', '-')}`, reason: message }]
  const context = { evaluation_id: evaluationId, evaluated_at: instantOf(nowMs), outcome: 'deny', reason: code, reasons }
  return { decision: false, context }
}

function explain({ evaluationId, nowMs }: Stamp, { outcome, policies, policyVersion }: Decision): JsonObject {
  return {
    evaluation_id: evaluationId,
    evaluated_at: instantOf(nowMs),
    outcome: WIRE_OUTCOME[outcome],
    reasons: policies.map(({ id, reason }) => ({ id, reason })),
    policy_version: policyVersion,
  }
}

interface Asked {
  readonly request: EvaluationRequest
  readonly source: DecisionSource
  readonly decision: Decision
  readonly stamp: Stamp
  readonly caller: Person
}

/** How to ask for what was denied (ARAP, section "Requestable Denial Context"); nothing for a caller who could not ask. */
function askable(parts: AuthZenParts, { request, source, decision, stamp, caller }: Asked): JsonObject {
  if (!mayAskFor(caller, request.subject)) return {}
  const { evaluationId, nowMs } = stamp
  const expiresAt = instantOf(nowMs + parts.times.askMs)
  const members = bindingMembers(source.relevantContext(request.action.name), request.context)
  const binding = { hash: bindingHash(parts, request, members), members }
  const token = issueBindingToken(parts, {
    evaluationId,
    expiresAt,
    binding,
    jti: createUlid(parts.clock, parts.entropy),
    nowMs,
    policyVersion: decision.policyVersion,
  })
  const description = decision.policies.map(({ reason }) => reason).join('; ')
  const display = { title: 'Ask for access', description }
  return { access_request: { expires_at: expiresAt, binding_token: token, display } }
}

/** The same question with an approval in its hand. */
async function reevaluate(parts: AuthZenParts, asked: Asked): Promise<EvaluationAnswer> {
  const { request, source, stamp, decision, caller } = asked
  const members = source.relevantContext(request.action.name)
  const applied = await useApproval(parts, {
    request,
    caller,
    relevant: members,
    policyVersion: decision.policyVersion,
    judge: async (policies) => {
      const judged = await source.judge(request, policies)
      return judged.kind === 'decided' ? judged.decision : undefined
    },
  })
  if (applied.kind === 'used') {
    const approval = { id: applied.id, approved_until: instantOf(applied.untilMs) }
    return { decision: true, context: { ...explain(stamp, applied.decision), approval } }
  }
  return { decision: false, context: { ...explain(stamp, decision), ...whatNext(parts, applied, asked) } }
}

/** What to do after an approval that did not do (ARAP, section "Completion Semantics"). */
function whatNext(
  parts: AuthZenParts,
  { reason, next, retryAfterS }: Extract<Applied, { kind: 'useless' }>,
  asked: Asked,
): JsonObject {
  const again = next === 'request' ? askable(parts, asked) : {}
  // Nobody is told to ask who could not.
  const action = next === 'request' && again.access_request === undefined ? 'none' : next
  return { reason, next_action: action, ...(retryAfterS === undefined ? {} : { retry_after: retryAfterS }), ...again }
}
