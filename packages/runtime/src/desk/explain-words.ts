import type { ApproverRule, ExplainedPart, Explanation, Remedy } from '@tidegate/kernel'

/** How many parts and policies one sentence names. */
const NAMED = 6

/** Why each determining policy was satisfied, and what would have had to be otherwise, in sentences. No argument is repeated. */
export function sayExplanation({ determining, wouldAllow }: Explanation): readonly string[] {
  const reasons = determining
    .filter(({ because }) => because.length > 0)
    .map(({ id, because }) => `${id} holds: ${because.slice(0, NAMED).map(sayPart).join('; ')}.`)
  return [...reasons, ...wouldAllow.map(sayRemedy)]
}

function sayRemedy(remedy: Remedy): string {
  switch (remedy.kind) {
    case 'approval':
      return `Would let it through: the approval of ${sayApprovers(remedy.approvers)} (${remedy.policies.join(', ')}).`
    case 'unforbid': {
      const { policy, holds, exceptions } = remedy
      const ways = [
        ...(holds.length === 0 ? [] : [`one of these does not hold: ${sayParts(holds)}`]),
        ...(exceptions.length === 0 ? [] : [`one of these does: ${sayParts(exceptions)}`]),
      ]
      return `Would have to be otherwise: ${policy.id} (${policy.file}:${policy.line})${ways.length === 0 ? ', which asks nothing' : ` forbids it unless ${ways.join(', or ')}`}.`
    }
    case 'permit': {
      const nearest = remedy.nearest.slice(0, NAMED).map(({ policy, fails }) => {
        return `${policy.id} (${policy.file}:${policy.line})${fails.length === 0 ? ' is about something else' : ` fails at ${sayParts(fails)}`}`
      })
      return `Would need a permit; silence is deny. ${nearest.length === 0 ? 'There is none.' : `Nearest: ${nearest.join('; ')}.`}`
    }
    case 'mend':
      return `Would have to be mended first${remedy.policy === null ? '' : ` (${remedy.policy.id})`}: ${remedy.message}`
  }
}

function sayParts(parts: readonly ExplainedPart[]): string {
  const shown = parts.slice(0, NAMED).map(sayPart)
  return [...shown, ...(parts.length > NAMED ? [`and ${parts.length - NAMED} more`] : [])].join('; ')
}

function sayPart({ text, holds, facts }: ExplainedPart): string {
  const known = Object.entries(facts).map(([path, value]) => `${path} is ${value}`)
  const state = holds === 'failed' ? ' [failed]' : ''
  return `${text}${known.length === 0 ? '' : ` (${known.join(', ')})`}${state}`
}

/** Who would have to say yes: `billing-lead and 2 x privacy`. */
export function sayApprovers(approvers: readonly ApproverRule[]): string {
  return approvers.map(({ role, count }) => (count === 1 ? role : `${count} x ${role}`)).join(' and ')
}
