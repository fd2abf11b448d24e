import {
  type ActionState,
  type FailureKind,
  type FindOperation,
  isObject,
  type Operation,
  type RunState,
  runStateName,
} from '@tidegate/kernel'
import { oneLine, phraseValue } from './phrase.ts'
import type { Story, StoryLine } from './story.ts'
import { tellAction } from './tell-action.ts'
import { tellEndorsed } from './tell-endorsed.ts'

/** What each way to fail means for whoever reads the story. */
const FAILURES: Readonly<Record<FailureKind, string>> = {
  planning: 'the planner made no usable proposal',
  retrieval: 'something it had to read could not be read',
  policy_denial: 'policy said no',
  approval_refused: 'a person said no',
  approval_timeout: 'nobody answered in time, and silence means no',
  connector_timeout: 'the other system did not answer',
  connector_semantic: 'the other system refused',
  output_validation: 'the other system answered something that it should not',
  duplicate_execution: 'an effect is in the world twice',
  ambiguous: 'nobody can tell whether an effect happened',
  unclaimed: 'whoever asked for it did not come back for it',
  rollback_failure: 'something that was done could not be taken back',
  budget: 'it had used up what it was given',
  loop: 'it kept proposing the same thing',
  stopped: 'somebody stopped it',
  defect: 'a defect of Tidegate itself ended it',
  unverified: 'the world does not show that it succeeded',
}

/** As many notes of the planner are told. */
const NOTES = 8

/** In words, why a run failed. */
export function phraseFailure(failure: FailureKind): string {
  return FAILURES[failure]
}

/**
 * Tells a run in words: what it saw, decided and touched, what was undone, and what is left for a person. Pure, and a function of the
 * run's own records, so that the same run is told in the same way years later.
 *
 * Operations give titles to what was done; one that is no longer declared is told by its id. Actions stand in their order; what the
 * planner understood stands between what it looked at first and what it then proposed, since notes keep no place of their own.
 */
export function tellRun(state: RunState, operations: readonly Operation[] | FindOperation): Story {
  const find = typeof operations === 'function' ? operations : indexOf(operations)
  const { trigger, actors, workflow, undoes } = state.opened
  const asked =
    undoes === null ? `${workflow} was asked by ${trigger.source} (${trigger.event})` : `Somebody asked to undo run ${undoes}`
  const whom = actors[0] === undefined ? '' : `, on behalf of ${actors[0]}`
  const start: StoryLine = { kind: 'asked', text: oneLine(`${asked}${whom}`, 400), action: null }
  const tell = (actions: readonly ActionState[]): readonly StoryLine[] =>
    actions.flatMap((action) => tellAction(action, state, find(action.proposed.operation)))
  const firstAct = state.actions.findIndex(({ proposed, decision }) => proposed.effect || decision?.outcome !== 'allow')
  const looked = firstAct < 0 ? state.actions.length : firstAct
  return {
    headline: headlineOf(state),
    lines: [
      start,
      ...tell(state.actions.slice(0, looked)),
      ...tellNotes(state),
      ...tell(state.actions.slice(looked)),
      ...tellEndorsed(state),
      ...tellCheck(state),
      ...tellLeft(state),
    ],
  }
}

function indexOf(operations: readonly Operation[]): FindOperation {
  const byId = new Map(operations.map((operation) => [operation.id, operation]))
  return (id) => byId.get(id)
}

function headlineOf(state: RunState): string {
  const because = state.failure === null ? '' : `: ${phraseFailure(state.failure)}`
  const detail = state.reason === '' || state.failure === null ? '' : ` (${oneLine(state.reason, 200).replace(/\.$/, '')})`
  const stands = state.actions.filter(
    (action) => action.state === 'done' && action.proposed.effect && action.proposed.purpose === 'act',
  ).length
  const left = stands === 0 ? 'Nothing was changed.' : `${stands} ${stands === 1 ? 'change stands' : 'changes stand'}.`
  if (state.held !== null && state.final === null) return `Held by stop ${state.held.stop}. ${left}`
  switch (runStateName(state)) {
    case 'completed':
      if (state.opened.undoes !== null) return `Taken back: what run ${state.opened.undoes} had changed is seen to be as it was.`
      return state.undoneBy === null
        ? `Done, and seen to be done. ${left}`
        : `Done, and taken back later by run ${state.undoneBy}.`
    case 'waiting':
      return `Waits for a person. ${left}`
    case 'running':
      return 'Under way.'
    case 'undoing':
      return `Takes back what it did${because}${detail}.`
    case 'undone':
      return `Not done${because}${detail}. What it had changed was taken back.`
    case 'stopped':
      return `Stopped by a person. ${left}`
    case 'escalated':
      return `Handed to a person, since it was not sure enough${state.reason === '' ? '' : ` (${oneLine(state.reason, 200).replace(/\.$/, '')})`}. ${left}`
    case 'failed':
      return `Not done${because}${detail}. ${left}`
  }
}

/** What the planner made of it, in one line. Which branch it took says nothing that its actions do not say. */
function tellNotes(state: RunState): readonly StoryLine[] {
  const said = [...state.notes.values()]
    .filter(({ value }) => !(isObject(value) && Object.keys(value).join() === 'next'))
    .map(({ node, value }) => (isObject(value) ? phraseValue(value) : `${oneLine(node, 60)} ${phraseValue(value)}`))
    .filter((text) => text.trim() !== '')
    .map((text) => oneLine(text, 160))
  if (said.length === 0) return []
  const more = said.length > NOTES ? [`and ${said.length - NOTES} more`] : []
  return [{ kind: 'understood', text: [...said.slice(0, NOTES), ...more].join('; '), action: null }]
}

function tellCheck({ check }: RunState): readonly StoryLine[] {
  if (check === null) return []
  const text = check.ok ? 'The world shows that it is done' : 'The world does not show that it is done'
  return [{ kind: 'checked', text: check.detail === '' ? text : `${text}: ${oneLine(check.detail, 200)}`, action: null }]
}

/** What waits for people. What the headline says already is not said again. */
function tellLeft(state: RunState): readonly StoryLine[] {
  const questions = [...state.approvals.values()]
    .filter((approval) => approval.state === 'open')
    .map(
      ({ question }): StoryLine => ({
        kind: 'left',
        text: `A yes or no to that: approval ${question.id}`,
        action: question.action,
      }),
    )
  const items = [...state.items.values()]
    .filter((item) => item.resolvedBy === null)
    .map(
      (item): StoryLine => ({
        kind: 'left',
        text: `${[item.title, ...(state.failure !== null && item.detail === state.reason ? [] : [item.detail])].map((part) => oneLine(part, 300).replace(/\.$/, '')).join('. ')} (${item.item})`,
        action: item.action,
      }),
    )
  return [...questions, ...items]
}
