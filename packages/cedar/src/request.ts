import type { Context, StatefulAuthorizationCall } from '@cedar-policy/cedar-wasm/nodejs'
import type { PolicyContext, PolicyRequest } from '@tidegate/kernel'

/** A request as Cedar is asked it; what is missing names the loaded policies and schema. */
export type CedarQuestion = Pick<StatefulAuthorizationCall, 'principal' | 'action' | 'resource' | 'context'>

export type QuestionResult =
  | { readonly ok: true; readonly question: CedarQuestion }
  | { readonly ok: false; readonly message: string }

/**
 * Puts a request into Cedar's terms. Every value is a string, a boolean, an integer or a set of strings, so nothing in it can be
 * read as one of Cedar's `__entity` or `__extn` escapes.
 *
 * Of the arguments only `amountMinor` is passed, when it is there. One that is there and is not a safe integer is refused: to leave
 * it out would switch off the rules about amounts (I6).
 */
export function cedarQuestion(request: PolicyRequest): QuestionResult {
  const { context } = request
  const money = context.arguments.amountMinor
  if (money !== undefined && !Number.isSafeInteger(money))
    return { ok: false, message: 'the argument amountMinor is not a whole number that policies can compare' }
  return {
    ok: true,
    question: {
      principal: { type: 'Agent', id: request.agent },
      action: { type: 'Action', id: request.operation },
      resource: { type: 'Tool', id: request.tool },
      context: contextOf(request, context, money),
    },
  }
}

function contextOf(request: PolicyRequest, context: PolicyContext, money: unknown): Context {
  return {
    environment: context.environment,
    risk: context.risk,
    mutability: context.mutability,
    dataClass: context.dataClass,
    blastRadius: context.blastRadius,
    mode: context.mode,
    workflow: request.workflow,
    user: request.user,
    reversible: context.reversible,
    compensating: context.compensating,
    confidence: context.confidence,
    stage: context.stage,
    attempts: context.attempts,
    origins: context.origins.toSorted(),
    approvals: context.approvals.toSorted(),
    arguments: typeof money === 'number' ? { amountMinor: money } : {},
  }
}
