import type {
  JsonObject,
  ModelCallRecord,
  ModelMessage,
  Planner,
  PlannerAnswer,
  PlannerView,
  Proposal,
  ReadableCall,
  RunState,
} from '@tidegate/kernel'
import { answerFailure, asObject, callModel, countLast, type ModelUse } from '../model-use.ts'
import { AGENT_DEFAULTS, type AgentPlan, type FullAgentPlan } from './agent-plan.ts'
import { extract } from './extraction.ts'
import { rebuildHistory } from './history.ts'
import { readPlan } from './plan.ts'
import { offerPlanning, offerTools, writeSystem } from './prompt.ts'
import { resolveArguments } from './references.ts'
import { clip, type Reading, readReply } from './reply.ts'
import { turnName } from './turn-name.ts'

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
 * people and lowered by unusable replies; the model is not asked. 4. Under `typed` no word that a stranger could have written reaches the
 * model (I9): it passes handles on, and our own code follows them. 5. A refusal hands the run to a person; no answer is asked for
 * again with growing pauses; replies that cannot be used are answered twice and then end the run.
 */
export function createAgentPlanner({ plan, model }: AgentPlannerOptions): Planner {
  const full = { ...AGENT_DEFAULTS, ...plan }
  return {
    next: (view) => nextTurn(full, model, view),
    ...(full.show === 'typed' ? { hidesText: true } : { showsFailures: true }),
  }
}

async function nextTurn(plan: FullAgentPlan, use: ModelUse, view: PlannerView): Promise<PlannerAnswer> {
  const messages = rebuildHistory(plan, view)
  const isPlanning = plan.plan && view.state.grants === null
  const tools = isPlanning ? offerPlanning(view) : offerTools(plan, view)
  const { result, record } = await callModel(use, { system: writeSystem(plan, view), messages, tools })
  const request = summarise(messages)
  if (result.kind === 'failed') return answerFailure(result, view.state, record('failed', request))
  const reading = readReply(result, tools)
  const usage = (taken: string) => record(taken, request)
  if (isPlanning && (reading.kind === 'proposed' || reading.kind === 'finished'))
    return unusable('the model made no plan', view, usage('bad_plan'))
  return answerReading(reading, { plan, view, usage })
}

interface Turn {
  readonly plan: FullAgentPlan
  readonly view: PlannerView
  /** The record of the call, with what was made of the reply. */
  readonly usage: (taken: string) => ModelCallRecord
}

function answerReading(reading: Reading, turn: Turn): PlannerAnswer {
  const { view } = turn
  switch (reading.kind) {
    case 'extracts':
      return answerExtraction(reading.call, turn)
    case 'planned': {
      const grants = readPlan(reading.call.arguments, view)
      return grants === undefined
        ? unusable('the plan could not be used', view, turn.usage('bad_plan'))
        : { kind: 'grant', grants, usage: turn.usage('planned') }
    }
    case 'proposed':
      return answerProposal(reading, turn)
    default:
      return answerEnd(reading, view, turn.usage(reading.kind))
  }
}

type Ended = Exclude<Reading, { kind: 'extracts' | 'planned' | 'proposed' }>

function answerEnd(reading: Ended, view: PlannerView, usage: ModelCallRecord): PlannerAnswer {
  switch (reading.kind) {
    case 'finished':
      return { kind: 'finish', reason: reading.reason, escalate: false, usage }
    case 'escalated':
      return { kind: 'finish', reason: reading.reason, escalate: true, usage }
    case 'refused':
      return { kind: 'finish', reason: `the model declined: ${reading.reason}`, escalate: true, usage }
    case 'no_call':
      return unusable('the model called no tool', view, usage)
    case 'malformed':
      return unusable(`the arguments of ${reading.call.name} could not be read (${reading.call.malformed})`, view, usage)
  }
}

/** A reply that is of no use is asked for again, and not too often. */
function unusable(reason: string, { state }: PlannerView, usage: ModelCallRecord): PlannerAnswer {
  const before = countLast(state, (reply) => isUnusable(reply) || reply.kind === 'failed')
  return before + 1 >= MAX_UNUSABLE_REPLIES ? { kind: 'give_up', reason, usage } : { kind: 'again', reason, afterMs: 0, usage }
}

function answerExtraction({ arguments: args }: ReadableCall, { view, usage }: Turn): PlannerAnswer {
  const turn = view.state.modelCalls.length
  const extracted = extract(args, turn, view)
  if (extracted.kind === 'unusable') return unusable(extracted.reason, view, usage('bad_extraction'))
  const { value, origins } = extracted
  return { kind: 'note', node: turnName(turn), value, origins, of: 'extraction', usage: usage('extracts') }
}

function answerProposal({ call, text }: Extract<Reading, { kind: 'proposed' }>, { plan, view, usage }: Turn): PlannerAnswer {
  const resolved = plan.show === 'typed' ? resolveArguments(call.arguments, view) : { arguments: call.arguments, references: {} }
  if (resolved === undefined) return unusable('a reference in the arguments leads nowhere', view, usage('bad_reference'))
  const { references } = resolved
  const proposal: Proposal = {
    goal: plan.goal,
    operation: call.name,
    arguments: resolved.arguments,
    justification: text.trim() === '' ? 'The model gave no reason.' : clip(text),
    confidence: confidenceOf(plan, view.state),
    node: turnName(view.state.modelCalls.length),
    ...(Object.keys(references).length === 0 ? {} : { references }),
  }
  return { kind: 'propose', proposal, usage: usage('proposed') }
}

/** What people set, less what the run's replies cost, and never more than the run has. */
function confidenceOf(plan: FullAgentPlan, state: RunState): number {
  const replies = state.modelCalls.map(({ reply }) => asObject(reply))
  const unusable = replies.filter(isUnusable).length
  const failed = replies.filter((reply) => reply.kind === 'failed').length
  const earned = plan.confidence - unusable * UNUSABLE_PENALTY - failed * FAILED_PENALTY
  return Math.max(0, Math.min(earned, state.confidence))
}

const UNUSABLE: readonly string[] = ['malformed', 'no_call', 'bad_reference', 'bad_extraction', 'bad_plan']

function isUnusable(reply: JsonObject): boolean {
  return typeof reply.taken === 'string' && UNUSABLE.includes(reply.taken)
}

/** The conversation itself is not recorded again with every call: it follows from the records before it. */
function summarise(messages: readonly ModelMessage[]): JsonObject {
  const characters = messages.reduce((sum, { content }) => content.reduce((inner, { text }) => inner + text.length, sum), 0)
  return { planner: 'agent', messages: messages.length, characters }
}
