import {
  type ActionState,
  type AssistantMessage,
  type Json,
  joinOrigins,
  type LabelledText,
  leavesOf,
  type ModelMessage,
  originAt,
  type Origin,
  type PlannerView,
} from '@tidegate/kernel'
import { asObject, quoteData } from '../model-use.ts'
import type { FullAgentPlan } from './agent-plan.ts'
import { clip } from './reply.ts'
import { answerName, showAnswer, showInput } from './show.ts'
import { turnName } from './turn-name.ts'

const MAX_SAID_LENGTH = 2_000
const MAX_ARGUMENTS_LENGTH = 8_000

/**
 * Rebuilds the conversation from the records of the run: the input, and for each usable reply of the model its first call and what
 * became of it. Pure: the planner remembers nothing by itself.
 *
 * Observations are cut to the plan's size, and beyond the plan's total the oldest are left out, newest kept. Every observation
 * carries its labels, and no data can pretend to end the data (see quoteData).
 */
export function rebuildHistory(plan: FullAgentPlan, view: PlannerView): readonly ModelMessage[] {
  const actions = view.state.actions.filter(({ proposed }) => proposed.purpose === 'act')
  const turns = view.state.modelCalls.map(({ reply }) => asObject(reply))
  const exchanges = turns.flatMap((reply, turn): readonly Exchange[] => {
    const action = actions.find(({ proposed }) => proposed.node === turnName(turn))
    const exchange = exchangeOf(reply, { turn, action, view, isTyped: plan.show === 'typed' })
    return exchange === undefined ? [] : [exchange]
  })
  return [openingOf(view, plan), ...fitExchanges(exchanges, plan).flat()]
}

/** What the model said and what it was answered; `data` is the part that may be cut. */
interface Exchange {
  readonly said: AssistantMessage
  readonly answer: (data: string) => ModelMessage
  readonly data: string
}

function openingOf(view: PlannerView, { show }: FullAgentPlan): ModelMessage {
  const { state, workflow } = view
  const { input } = state.opened.sealed
  const shown = show === 'typed' ? showInput(view) : input
  const origins = leavesOf(input).reduce<readonly Origin[]>(
    (joined, [pointer]) => joinOrigins(joined, [workflow.inputOrigins[pointer] ?? 'user']),
    [],
  )
  const text = `The input of the run, written by ${origins.join(', ') || 'nobody'}:\n<data>${quoteData(shown)}</data>`
  return { role: 'user', content: [{ text, origins }] }
}

/** One turn of the conversation, with what became of it. */
interface Turn {
  readonly turn: number
  readonly action: ActionState | undefined
  readonly view: PlannerView
  /** What strangers wrote is not shown. */
  readonly isTyped: boolean
}

function exchangeOf(reply: Readonly<Record<string, Json>>, turn: Turn): Exchange | undefined {
  const text = typeof reply.text === 'string' ? clip(reply.text, MAX_SAID_LENGTH) : ''
  const content: readonly LabelledText[] = text === '' ? [] : [{ text, origins: ['model'] }]
  if (reply.taken === 'no_call') {
    const note = 'That was no call of a tool. Call exactly one tool.'
    return { said: { role: 'assistant', content, calls: [] }, answer: () => ({ role: 'user', content: [ours(note)] }), data: '' }
  }
  const calls = Array.isArray(reply.calls) ? (reply.calls as readonly Json[]) : []
  const first = asObject(calls[0] ?? null)
  const observation = observationOf(reply.taken, turn)
  if (observation === undefined || typeof first.name !== 'string') return undefined
  const { name } = first
  const callId = `call-${turn.turn}`
  const argumentsText = typeof first.argumentsText === 'string' ? first.argumentsText.slice(0, MAX_ARGUMENTS_LENGTH) : '{}'
  const said: AssistantMessage = { role: 'assistant', content, calls: [{ callId, name, argumentsText }] }
  const others = calls.length > 1 ? ` Only the first of your ${calls.length} calls was considered.` : ''
  const { head, data, origins } = observation
  const answer = (shown: string): ModelMessage => {
    const labelled = shown === '' ? [] : [{ text: `\n<data>${shown}</data>`, origins }]
    return { role: 'tool', callId, name, content: [ours(`${head}${others}`), ...labelled] }
  }
  return { said, answer, data }
}

/** What a call came to, by what the planner made of it; undefined for what was no call, or ended the run. */
function observationOf(taken: Json | undefined, { turn, action, view, isTyped }: Turn): Observation | undefined {
  if (taken === 'proposed') return isTyped ? observeTyped(action, view) : observe(action, view)
  if (taken === 'extracts') return observeExtraction(turn, view)
  return typeof taken === 'string' ? SAYINGS[taken] : undefined
}

interface Observation {
  readonly head: string
  readonly data: string
  readonly origins: readonly Origin[]
}

function says(head: string): Observation {
  return { head, data: '', origins: [] }
}

/** What is answered where nothing was done. */
const SAYINGS: Readonly<Record<string, Observation>> = {
  malformed: says('The arguments were not one JSON object. Call the tool again with arguments that fit its schema.'),
  bad_reference: says(
    'A reference in it leads nowhere; nothing was done. Use a handle that you were shown, as the whole value of an argument.',
  ),
  bad_extraction: says(
    'Nothing could be read. Give the handle of a text that you were shown, and a type; list words for an enum, and only then.',
  ),
  planned: says('The plan is recorded. Go on by it.'),
  bad_plan: says(
    'That is no plan that can be used. List operations that are offered to you, each with its number of calls, and only arguments that they have.',
  ),
}

function observeExtraction(turn: number, { state }: PlannerView): Observation {
  const note = state.notes.get(turnName(turn))
  if (note === undefined) return says('Nothing is recorded about this call.')
  const isFound = asObject(note.value).value !== null
  const head = isFound ? 'Read. To pass the value on, use its handle.' : 'There is no such value in the text, or more than one.'
  return { head, data: isFound ? quoteData(note.value) : '', origins: note.origins }
}

/** As {@link observe}, without a word that a stranger could have written: no answer of the far side but what is of a closed type. */
function observeTyped(action: ActionState | undefined, view: PlannerView): Observation {
  if (action?.state === 'denied' && action.proposed.sealed.leaves !== undefined) {
    // A reason may quote the arguments, and some of them the model has never seen.
    const policies = action.decision?.policies.map(({ id }) => id) ?? []
    return { head: 'Not accepted; nothing was done. The policies:', data: quoteData(policies), origins: ['workflow'] }
  }
  if (action?.state === 'failed') {
    const { failure = null, retry = null } = action.outcome ?? {}
    return { head: 'The call failed. What is known:', data: quoteData({ failure, retry }), origins: ['system'] }
  }
  if (action?.state === 'rehearsed') return says('Only tried out, not done.')
  if (action === undefined || action.state === 'denied') return observe(action, view)
  const { head, origins } = observe(action, view)
  return { head: `${head} It is called ${answerName(action)}.`, data: quoteData(showAnswer(action, view)), origins }
}

function observe(action: ActionState | undefined, { find }: PlannerView): Observation {
  if (action === undefined) return { head: 'Nothing is recorded about this call.', data: '', origins: [] }
  if (action.state === 'denied') {
    const reasons = action.decision?.policies.map(({ reason }) => reason) ?? []
    return { head: 'Not accepted; nothing was done. The reasons:', data: quoteData(reasons), origins: ['model', 'workflow'] }
  }
  if (action.state === 'failed') {
    const { code = null, message } = { code: action.outcome?.code, message: action.outcome?.sealed.message ?? '' }
    return { head: 'The call failed. What is known:', data: quoteData({ code, message }), origins: ['third-party'] }
  }
  if (action.state === 'rehearsed') {
    return {
      head: 'Only tried out, not done. The preview:',
      data: quoteData(action.preview?.value ?? null),
      origins: ['third-party'],
    }
  }
  const declared = action.distrusted === true ? {} : (find(action.proposed.operation)?.origins ?? {})
  const origins = originAt(declared, '', action.output)
  const incomplete = action.outcome?.complete === false ? ' The answer is incomplete: the far side cut it short.' : ''
  const cleaned =
    action.findings.length === 0 ? '' : ' Hidden content was removed from it: somebody may be trying to instruct you.'
  return { head: `Done. Written by ${origins.join(', ')}.${incomplete}${cleaned}`, data: quoteData(action.output), origins }
}

function ours(text: string): LabelledText {
  return { text, origins: ['workflow'] }
}

/** Newest first, each observation gets the room that is left; then the order is restored. */
function fitExchanges(
  exchanges: readonly Exchange[],
  { observationLength, historyLength }: FullAgentPlan,
): readonly (readonly ModelMessage[])[] {
  let left = historyLength
  const fitted: (readonly ModelMessage[])[] = []
  for (const { said, answer, data } of exchanges.toReversed()) {
    const shown =
      data.length <= observationLength ? data : `${data.slice(0, observationLength)} [cut: ${data.length} characters in all]`
    const fits = shown.length <= left
    left -= fits ? shown.length : 0
    fitted.push([said, answer(fits ? shown : `[left out to save room: ${data.length} characters]`)])
    if (!fits) left = 0
  }
  return fitted.toReversed()
}
