import type { JsonObject, ModelCallRecord, ModelMessage, Planner, PlannerAnswer, PlannerView, RunState } from '@tidegate/kernel'
import { answerFailure, asObject, callModel, countLast, type ModelUse } from '../model-use.ts'
import { AGENT_DEFAULTS, type AgentPlan, type FullAgentPlan } from './agent-plan.ts'
import { rebuildHistory, turnName } from './history.ts'
import { offerTools, writeSystem } from './prompt.ts'
import { clip, type Reading, readReply } from './reply.ts'

/** What an agent planner needs. */
export interface AgentPlannerOptions {
  readonly plan: AgentPlan
  readonly model: ModelUse
}

/** Replies in a row that could not be used before the planner gives up. */
const MAX_UNUSABLE_REPLIES = 3
/** How much each reply that could not be used lowers the confidence of what is proposed afterwards. */
const UNUSABLE_PENALTY = 200
/** How much each call that failed lowers it. */
const FAILED_PENALTY = 50

/**
 * Creates a planner in which a model chooses among the workflow's operations, one call at a time.
 *
 * 1. The model is assumed to be in an attacker's hands: what it calls is a proposal like any other, under an unknown name too.
 * 2. The planner remembers nothing: the conversation is rebuilt from the run's records. 3. How sure a proposal counts is set by
 * people and lowered by unusable replies; the model is not asked. 4. A refusal hands the run to a person; no answer is asked for
 * again with growing pauses; replies that cannot be used are answered twice and then end the run.
 */
export function createAgentPlanner({ plan, model }: AgentPlannerOptions): Planner {
  const full = { ...AGENT_DEFAULTS, ...plan }
  return { next: (view) => nextTurn(full, model, view) }
}

async function nextTurn(plan: FullAgentPlan, use: ModelUse, view: PlannerView): Promise<PlannerAnswer> {
  const messages = rebuildHistory(plan, view)
  const { result, record } = await callModel(use, { system: writeSystem(plan, view), messages, tools: offerTools(view) })
  const request = summarise(messages)
  if (result.kind === 'failed') return answerFailure(result, view.state, record('failed', request))
  const reading = readReply(result)
  return answerReading(reading, { plan, view, usage: record(reading.kind, request) })
}

interface Turn {
  readonly plan: FullAgentPlan
  readonly view: PlannerView
  readonly usage: ModelCallRecord
}

function answerReading(reading: Reading, { plan, view, usage }: Turn): PlannerAnswer {
  switch (reading.kind) {
    case 'finished':
      return { kind: 'finish', reason: reading.reason, escalate: false, usage }
    case 'escalated':
      return { kind: 'finish', reason: reading.reason, escalate: true, usage }
    case 'refused':
      return { kind: 'finish', reason: `the model declined: ${reading.reason}`, escalate: true, usage }
    case 'malformed':
    case 'no_call': {
      const reason =
        reading.kind === 'no_call'
          ? 'the model called no tool'
          : `the arguments of ${reading.call.name} could not be read (${reading.call.malformed})`
      const before = countLast(view.state, (reply) => isUnusable(reply) || reply.kind === 'failed')
      return before + 1 >= MAX_UNUSABLE_REPLIES
        ? { kind: 'give_up', reason, usage }
        : { kind: 'again', reason, afterMs: 0, usage }
    }
    case 'proposed': {
      const { call, text } = reading
      const justification = text.trim() === '' ? 'The model gave no reason.' : clip(text)
      const proposal = {
        goal: plan.goal,
        operation: call.name,
        arguments: call.arguments,
        justification,
        confidence: confidenceOf(plan, view.state),
        node: turnName(view.state.modelCalls.length),
      }
      return { kind: 'propose', proposal, usage }
    }
  }
}

/** What people set, less what the run's replies cost, and never more than the run has. */
function confidenceOf(plan: FullAgentPlan, state: RunState): number {
  const replies = state.modelCalls.map(({ reply }) => asObject(reply))
  const unusable = replies.filter(isUnusable).length
  const failed = replies.filter((reply) => reply.kind === 'failed').length
  const earned = plan.confidence - unusable * UNUSABLE_PENALTY - failed * FAILED_PENALTY
  return Math.max(0, Math.min(earned, state.confidence))
}

function isUnusable(reply: JsonObject): boolean {
  return reply.taken === 'malformed' || reply.taken === 'no_call'
}

/** The conversation itself is not recorded again with every call: it follows from the records before it. */
function summarise(messages: readonly ModelMessage[]): JsonObject {
  const characters = messages.reduce((sum, { content }) => content.reduce((inner, { text }) => inner + text.length, sum), 0)
  return { planner: 'agent', messages: messages.length, characters }
}
