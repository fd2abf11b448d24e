import type { ActionState, Approval, Operation, RunState } from '@tidegate/kernel'
import { type CallPhrase, currencyOf, listed, oneLine, phraseCall } from './phrase.ts'
import type { StoryKind, StoryLine } from './story.ts'

/** How people call what sanitising takes out. */
const HIDDEN = {
  hidden_markup: 'markup that a reader would not see',
  invisible_characters: 'invisible characters',
  encoded_text: 'encoded text',
  control_characters: 'control characters',
} as const

/** The lines about one action: what was decided about it, and what became of it. */
export function tellAction(action: ActionState, state: RunState, operation: Operation | undefined): readonly StoryLine[] {
  const { proposed } = action
  const near = [action.preview?.value ?? null, action.output]
  const phrase = phraseCall(operation, proposed.operation, proposed.sealed.arguments, currencyOf(state, near))
  const line = (kind: StoryKind, text: string): StoryLine => ({ kind, text, action: action.n })
  return [
    ...tellDecision(action, state, phrase, line),
    ...tellOutcome(action, state, phrase.full, line),
    ...tellFindings(action, line),
  ]
}

type WriteLine = (kind: StoryKind, text: string) => StoryLine

/** A read that policy allows is not worth a line of its own: that it was seen says it. */
function tellDecision(action: ActionState, state: RunState, { short, full }: CallPhrase, line: WriteLine): readonly StoryLine[] {
  const { decision, proposed } = action
  if (decision === null) return []
  const approvals = [...state.approvals.values()].filter((approval) => approval.question.action === action.n)
  if (!proposed.effect && decision.outcome === 'allow' && decision.would === undefined && approvals.length === 0) return []
  const covered = action.planned === undefined ? '' : `, as a part of the plan that approval ${action.planned} covers`
  const because = `${covered}${reasonsOf(decision.policies)}`
  const asked = approvals.flatMap((approval) => tellQuestion(approval, full, action.asked).map((text) => line('decided', text)))
  if (decision.outcome === 'ask') return asked.length > 0 ? asked : [line('decided', `${full} -> to be asked${because}`)]
  if (asked.length > 0 && decision.outcome === 'allow') return asked
  const verdict =
    decision.would === undefined
      ? { allow: 'allowed', deny: 'refused', dry_run: 'only tried out' }[decision.outcome]
      : `only observed, would have been ${{ deny: 'refused', ask: 'asked about', dry_run: 'only tried out' }[decision.would]}`
  // What is done is told in full where it is touched, and what is only tried out where it was tried.
  return [...asked, line('decided', `${decision.outcome === 'deny' ? full : short} -> ${verdict}${because}`)]
}

/** The question and why it was asked, and then who answered what. */
function tellQuestion(approval: Approval, phrase: string, asking: Policies): readonly string[] {
  const { approvers, policies } = approval.question
  const wanted = listed(approvers.map(({ role, count }) => (count === 1 ? role : `${count} x ${role}`)))
  const because = reasonsOf(policies.map((id) => ({ id, reason: asking.find((policy) => policy.id === id)?.reason ?? '' })))
  const votes = approval.votes.map(
    ({ voter, vote, why, plan }) =>
      `${voter} said ${vote === 'approve' ? 'yes' : 'no'}${plan === true ? ' to the whole plan' : ''}${why === '' ? '' : `: "${oneLine(why, 80)}"`}`,
  )
  const became = {
    open: votes.length === 0 ? ['Nobody has answered yet'] : ['More people have to answer'],
    granted: [],
    refused: [],
    lapsed: ['Nobody answered in time, which means no'],
    voided: [approval.state === 'voided' && approval.why !== '' ? `Void: ${oneLine(approval.why, 120)}` : 'Void'],
    consumed: [],
  }[approval.state]
  return [`${phrase} -> asked ${wanted}${because}`, ...votes, ...became]
}

type Policies = readonly { readonly id: string; readonly reason: string }[]

function reasonsOf(policies: Policies): string {
  const reasons = policies.map(({ id, reason }) => (reason === '' ? `policy ${id} says so` : `${oneLine(reason, 200)} [${id}]`))
  return reasons.length === 0 ? '' : `, because ${listed(reasons)}`
}

function tellOutcome(action: ActionState, state: RunState, phrase: string, line: WriteLine): readonly StoryLine[] {
  const { proposed, found, outcome } = action
  const looked = action.looks > 0 ? '; the answer was lost, so it was looked for at the far side' : ''
  switch (action.state) {
    case 'done':
      if (found === 'doubled') return [line('touched', `${phrase}; it is in the world more than once`)]
      return tellDone(action, `${phrase}${looked}`, line)
    case 'undone':
      return [line('touched', `${phrase}${looked}; taken back later${takenBackBy(action, state)}`)]
    case 'failed': {
      const why =
        found === 'unknown' ? 'nobody can tell whether it happened' : oneLine(outcome?.sealed.message ?? 'it did not happen', 200)
      const attempts = action.attempts > 1 ? ` after ${action.attempts} attempts` : ''
      return [line('tried', `${phrase}; failed${attempts}: ${why || 'no reason given'}`)]
    }
    case 'started':
      return [line(proposed.effect ? 'touched' : 'saw', `${phrase}; under way, its outcome is not known yet`)]
    case 'ambiguous':
      return [line('tried', `${phrase}; it may or may not have happened, and is being looked for`)]
    case 'retryable':
      return action.attempts > 0
        ? [
            line(
              'tried',
              `${phrase}; not done (${oneLine(outcome?.sealed.message || 'no reason given', 200)}), and will be tried again`,
            ),
          ]
        : []
    case 'rehearsed':
      return [line('tried', `${phrase}; only tried out, nothing was changed`)]
    default:
      return []
  }
}

function tellDone(action: ActionState, phrase: string, line: WriteLine): readonly StoryLine[] {
  const { proposed, outcome, verified } = action
  if (proposed.purpose === 'compensate') {
    const seen = { true: '; seen to be back as it was', false: '; but the world does not show it', null: '' }[`${verified}`]
    return [line('undone', `${phrase}${seen}`)]
  }
  const short = outcome?.complete === false ? '; the answer was cut short' : ''
  return [line(proposed.effect ? 'touched' : 'saw', `${phrase}${short}`)]
}

function takenBackBy(action: ActionState, state: RunState): string {
  const by = state.actions.find((other) => other.proposed.compensates === action.n && other.verified === true)
  return by === undefined ? '' : `, by action ${by.n}`
}

function tellFindings(action: ActionState, line: WriteLine): readonly StoryLine[] {
  if (action.findings.length === 0) return []
  const kinds = [...new Set(action.findings.map(({ kind }) => HIDDEN[kind]))]
  const places = [...new Set(action.findings.map(({ path }) => path || '(root)'))].slice(0, 5)
  return [line('saw', `Hidden in that answer, and taken out before anything read it: ${listed(kinds)}, at ${listed(places)}`)]
}
