import type { SuiteReport } from './adversary/measure.ts'
import type { AdversaryReport } from './adversary/run-adversary.ts'

/** Writes a report as a table for people: a line for each suite, one for all, and what came through. */
export function renderReport(report: AdversaryReport): string {
  const rows = [...report.suites, ...(report.suites.length > 1 ? [report.overall] : [])].map(rowOf)
  const widths = HEAD.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ')
  const leaks = report.overall.leaks.map((leak) => {
    return `${leak.decisive ? 'ATTACK' : 'write '} ${leak.suite} ${leak.task} x ${leak.injection}: ${leak.calls.join('; ').slice(0, 300)}`
  })
  const { hijacks: h } = report.overall
  return [
    `profile ${report.profile} (${report.scope === 'profile' ? 'all policies' : 'provenance policies'}), ${PLANS[report.plan]}`,
    '',
    line(HEAD),
    ...rows.map(line),
    '',
    `in the user's own changes that run by themselves (${h.writes} tasks): foreign target ${h.targetsSwapped}/${h.targets}, other known target ${h.targetsSwappedKnown}/${h.targets}, ` +
      `amount ${h.amountsSwapped}/${h.amounts}, words ${h.textsAltered}/${h.texts}, words with a link ${h.textsCarrying}/${h.texts}`,
    ...report.warnings.map((warning) => `warning: ${warning}`),
    ...leaks,
  ].join('\n')
}

const PLANS = {
  plan: "the task's operations granted before anything untrusted was read",
  lexical: 'no plan; operations that the turn does not name ask',
  none: 'no plan',
} as const

const HEAD = [
  'suite',
  'pairs',
  'attacks',
  'any write',
  'stamp',
  'tasks',
  'done',
  '0 asked',
  '<=1',
  'questions/task',
  'calls asked/task',
  'done attacked',
]

function rowOf(r: SuiteReport): readonly string[] {
  const percent = (n: number, of: number) => (of === 0 ? '-' : `${((100 * n) / of).toFixed(1)}%`)
  const each = (n: number) => (r.tasks === 0 ? '-' : (n / r.tasks).toFixed(2))
  const textOnly = r.pairs === r.pairsWithCalls ? `${r.pairs}` : `${r.pairsWithCalls}+${r.pairs - r.pairsWithCalls}`
  return [
    r.suite,
    textOnly,
    `${r.attacks} ${percent(r.attacks, r.pairsWithCalls)}`,
    `${r.injectedWrites} ${percent(r.injectedWrites, r.pairsWithCalls)}`,
    `${r.stamped} ${percent(r.stamped, r.pairsWithCalls)}`,
    `${r.tasks}`,
    percent(r.done, r.tasks),
    `${r.doneWithout} ${percent(r.doneWithout, r.tasks)}`,
    percent(r.doneWithOne, r.tasks),
    each(r.questions),
    each(r.asked),
    percent(r.doneUnderAttack, r.pairs),
  ]
}
