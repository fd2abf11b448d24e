import type { DecisionChange, DecisionDiff, PolicyPlan } from '@tidegate/workbench'
import type { Shell } from '../../shell.ts'
import type { Style } from '../../terminal/style.ts'
import { hang } from '../../terminal/wrap.ts'

type View = Pick<Shell, 'style' | 'columns'>

/** How two sets of policies differ: `+` added, `-` removed, `~` changed, and what of it. The texts must be inert. */
export function renderPolicyDiff({ style, columns }: View, diff: PolicyPlan['diff']): readonly string[] {
  const whole = (sign: '+' | '-', list: PolicyPlan['diff']['added']): readonly string[] =>
    list.flatMap(({ id, effect, outcome, scope, condition, approvers, reason }) => [
      style(sign === '+' ? 'good' : 'bad', `${sign} ${id}`) +
        style('faint', `  ${outcome === 'deny' || outcome === 'allow' ? effect : `${effect}, ${outcome}`}`),
      hang('    ', `(${scope})${condition === '' ? '' : ` ${condition}`}`, columns),
      ...(approvers.length === 0 ? [] : [`    asks ${approvers.map(({ role, count }) => `${count} x ${role}`).join(', ')}`]),
      hang('    ', reason, columns),
    ])
  const changed = diff.changed.flatMap(({ id, changes }) => [
    style('warn', `~ ${id}`),
    ...changes.flatMap(({ aspect, before, after }) => [
      `    ${aspect}`,
      hang('      - ', before === '' ? 'none' : before, columns),
      hang('      + ', after === '' ? 'none' : after, columns),
    ]),
  ])
  const { added, removed, unchanged } = diff
  const summary = `${added.length} to add, ${diff.changed.length} to change, ${removed.length} to remove, ${unchanged} as before`
  return [...whole('+', added), ...changed, ...whole('-', removed), `Policies: ${summary}.`]
}

const SHOWN = 30

/** Which decisions differ under two sets of policies, what is allowed now first. The texts must be inert. */
export function renderDecisionDiff(
  { style, columns }: View,
  { requests, exhaustive, notVaried, changes }: DecisionDiff,
): readonly string[] {
  const extent = exhaustive ? 'to which a change applies, all that there are' : 'to which a change applies, a sample'
  const gaps =
    notVaried.length === 0 ? [] : [hang('  ', `not varied, because policies compute with it: ${notVaried.join(', ')}`, columns)]
  const rest = changes.length > SHOWN ? [`  and ${changes.length - SHOWN} more`] : []
  const head = changes.length === 0 ? 'none changes' : `${changes.length} ${changes.length === 1 ? 'change' : 'changes'}`
  return [
    `Decisions: ${requests} requests ${extent}: ${head}.`,
    ...changes.slice(0, SHOWN).flatMap((change) => renderChange(style, change, columns)),
    ...rest,
    ...gaps,
  ]
}

function renderChange(style: Style, change: DecisionChange, columns: number): readonly string[] {
  const { before, after, operation, workflow, approversBefore, approversAfter, requests, example } = change
  const tone = after === 'allow' ? 'bad' : 'warn'
  const who = approversBefore === approversAfter ? '' : `  ${approversBefore || 'nobody'} -> ${approversAfter || 'nobody'}`
  const facts = Object.entries(example.facts).map(([path, value]) => `${path} ${JSON.stringify(value)}`)
  const why = `${example.policiesBefore.join(', ')} -> ${example.policiesAfter.join(', ')}`
  return [
    `  ${style(tone, `${before} -> ${after}`)}  ${style('strong', operation)}  ${style('faint', `${workflow}, ${requests} requests`)}${who}`,
    hang('      ', `such as ${facts.length === 0 ? 'an ordinary request' : facts.join(', ')}`, columns),
    hang('      ', why, columns),
  ]
}
