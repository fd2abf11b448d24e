import {
  type ActionState,
  compileFlow,
  isObject,
  type Json,
  leafOrigins,
  leavesOf,
  type Named,
  type Origin,
  type PlannerView,
  showTyped,
  unpackFlow,
  valueAt,
} from '@tidegate/kernel'
import { flowOfAnswer } from '../../flow-of.ts'
import { turnName } from './turn-name.ts'

/** Shows the answer of an action without what strangers wrote in it. */
export function showAnswer(action: ActionState, view: PlannerView): Json {
  return showTyped(action.output, answerNamed(action, view))
}

/** Shows the input of a run without what strangers wrote in it. */
export function showInput({ state, workflow }: Pick<PlannerView, 'state' | 'workflow'>): Json {
  return showTyped(state.opened.sealed.input, inputNamed(workflow.inputOrigins))
}

/** The name of what an action answered: `$r` and its number in the run. */
export function answerName({ n }: Pick<ActionState, 'n'>): string {
  return `$r${n}`
}

/** The name of what was extracted in one turn. */
export function extractionName(turn: number): string {
  return `$x${turn}`
}

function answerNamed(action: ActionState, { find }: Pick<PlannerView, 'find'>): Named {
  const operation = find(action.proposed.operation)
  const { tainted, ungrounded } = unpackFlow(action.decision?.facts?.flow)
  return { name: answerName(action), flow: flowOfAnswer(action, operation), echoesUntrusted: tainted && ungrounded.length > 0 }
}

function inputNamed(origins: Readonly<Record<string, Origin>>): Named {
  return { name: '$input', flow: compileFlow({ mutability: 'read', origins: { '': 'user', ...origins } }) }
}

/** What a reference leads to, with who wrote each of its leaves (by the pointer from there). */
export interface Resolved {
  readonly value: Json
  readonly leaves: Readonly<Record<string, readonly Origin[]>>
}

const REFERENCE = /^\$(?:(input)|r(\d{1,6})|x(\d{1,6}))((?:\/(?:[^~/]|~[01])*)*)$/

/** Follows a reference of this run; undefined when it leads nowhere. What another run has seen has no name here. */
export function followReference(reference: string, view: PlannerView): Resolved | undefined {
  const match = reference.length > 500 ? null : REFERENCE.exec(reference)
  if (match === null) return undefined
  const [, input, answer, extraction, pointer = ''] = match
  if (extraction !== undefined) return pointer === '' ? noted(Number(extraction), view) : undefined
  if (input !== undefined) return partOf(view.state.opened.sealed.input, pointer, inputNamed(view.workflow.inputOrigins))
  const action = view.state.actions.find(({ n }) => n === Number(answer))
  const isAnswered =
    action !== undefined && action.proposed.purpose === 'act' && (action.state === 'done' || action.state === 'undone')
  return isAnswered ? partOf(action.output, pointer, answerNamed(action, view)) : undefined
}

function noted(turn: number, { state }: PlannerView): Resolved | undefined {
  const note = state.notes.get(turnName(turn))
  const value = note !== undefined && isObject(note.value) ? note.value.value : undefined
  return note === undefined || value === undefined || value === null ? undefined : { value, leaves: { '': note.origins } }
}

function partOf(whole: Json, pointer: string, named: Named): Resolved | undefined {
  const value = valueAt(whole, pointer)
  if (value === undefined) return undefined
  const origins = leafOrigins(whole, named)
  const leaves = leavesOf(value).map(
    ([below]) => [below, origins.get(`${pointer}${below}`) ?? (['third-party'] as const)] as const,
  )
  return { value, leaves: Object.fromEntries(leaves) }
}
