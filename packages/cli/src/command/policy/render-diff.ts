import type { DecisionChange, DecisionDiff, PolicyPlan } from '@tidegate/workbench'
import type { Shell } from '../../shell.ts'
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
export function renderDecisionDiff(view: View, { requests, exhaustive, notVaried, changes }: DecisionDiff): readonly string[] {
  const extent = exhaustive ? 'to which a change applies, all that there are' : 'to which a change applies, a sample'
  const gaps =
    notVaried.length === 0
      ? []
      : [hang('  ', `not varied, because policies compute with it: ${notVaried.join(', ')}`, view.columns)]
  const groups = grouped(changes)
  const rest = groups.length > SHOWN ? [`  and ${groups.length - SHOWN} more`] : []
  const head = changes.length === 0 ? 'no decision changes' : `${changes.length} ${changes.length === 1 ? 'change' : 'changes'}`
  return [
    `Decisions: ${requests} requests ${extent}: ${head}.`,
    ...groups.slice(0, SHOWN).flatMap((group) => renderGroup(view, group)),
    ...rest,
    ...gaps,
  ]
}

type Group = readonly [DecisionChange, ...DecisionChange[]]

/** Operations of one workflow to which the same happens for the same reason stand together, where the first of them stands. */
function grouped(changes: readonly DecisionChange[]): readonly Group[] {
  const groups = new Map<string, [DecisionChange, ...DecisionChange[]]>()
  for (const change of changes) {
    const { operation: _, requests: __, ...rest } = change
    const key = JSON.stringify(rest)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [change])
    else group.push(change)
  }
  return [...groups.values()]
}

function renderGroup({ style, columns }: View, group: Group): readonly string[] {
  const [{ before, after, workflow, approversBefore, approversAfter, example }] = group
  const tone = after === 'allow' ? 'bad' : 'warn'
  const who = approversBefore === approversAfter ? '' : `  ${approversBefore || 'nobody'} -> ${approversAfter || 'nobody'}`
  const facts = Object.entries(example.facts).map(([path, value]) => `${path} ${JSON.stringify(value)}`)
  const why = `${example.policiesBefore.join(', ')} -> ${example.policiesAfter.join(', ')}`
  const operations = group.map(({ operation, requests }) => `${operation} (${requests})`).join(', ')
  return [
    `  ${style(tone, `${before} -> ${after}`)}  ${style('faint', workflow)}${who}`,
    hang('      ', operations, columns),
    hang('      ', `such as ${facts.length === 0 ? 'an ordinary request' : facts.join(', ')}`, columns),
    hang('      ', why, columns),
  ]
}
