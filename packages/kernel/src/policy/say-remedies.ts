import type { ApproverRule } from './decision.ts'
import type { ExplainedPart, Explanation, PlacedPolicy, Remedy } from './explanation.ts'

/** What would have let an action through, in sentences for people; none for an action that was allowed. Repeats no argument. */
export function sayRemedies({ wouldAllow }: Pick<Explanation, 'wouldAllow'>): readonly string[] {
  return wouldAllow.flatMap(sayRemedy)
}

function sayRemedy(remedy: Remedy): readonly string[] {
  switch (remedy.kind) {
    case 'approval':
      return [`The approval of ${sayApprovers(remedy.approvers)} would have satisfied ${remedy.policies.join(', ')}.`]
    case 'unforbid':
      return [
        `${sayForbid(remedy.policy)}${sayWhile(remedy.holds)}${sayExceptions(remedy.exceptions)}. ${LIMITS[remedy.policy.outcome]}`,
      ]
    case 'permit':
      return ['No policy permits it, and silence is deny.', ...remedy.nearest.map(sayNearest)]
    case 'mend':
      return [`${remedy.policy === null ? 'The request' : place(remedy.policy)} must be mended first: ${remedy.message}.`]
  }
}

/** What an approval can change about it. */
const LIMITS: Readonly<Record<PlacedPolicy['outcome'], string>> = {
  allow: '',
  ask: '',
  dry_run: 'No approval changes that unless the policy says so.',
  deny: 'No approval changes that.',
}

function sayForbid(policy: PlacedPolicy): string {
  return `${place(policy)} ${policy.outcome === 'dry_run' ? 'only lets it be tried out' : 'forbids it'}`
}

function sayWhile(holds: readonly ExplainedPart[]): string {
  return holds.length === 0 ? ', whatever the facts' : ` while ${holds.map(sayPart).join(' and ')}`
}

function sayExceptions(exceptions: readonly ExplainedPart[]): string {
  return exceptions.length === 0 ? '' : `, unless ${exceptions.map(({ text }) => text).join(' or ')}`
}

function sayNearest({ policy, inScope, fails }: Extract<Remedy, { kind: 'permit' }>['nearest'][number]): string {
  if (!inScope) return `${place(policy)} permits, but is about another agent, operation or tool.`
  return `${place(policy)} would permit it, but for ${fails.map(sayPart).join(' and ')}.`
}

/** The part, with the facts in it as they were. */
function sayPart({ text, facts }: ExplainedPart): string {
  const known = Object.entries(facts).map(([name, value]) => `${name} is ${value}`)
  return known.length === 0 ? text : `${text} (${known.join(', ')})`
}

function place({ id, file, line }: PlacedPolicy): string {
  return `${id} (${file}:${line})`
}

function sayApprovers(approvers: readonly ApproverRule[]): string {
  return approvers.map(({ role, count }) => (count === 1 ? role : `${count} x ${role}`)).join(' and ')
}
