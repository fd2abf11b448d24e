import { resolve } from 'node:path'
import type { JudgedAdversary } from '@tidegate/workbench'
import { CliError } from '../../error.ts'
import { EXIT, type ExitCode } from '../../exit-code.ts'
import type { Shell } from '../../shell.ts'
import { renderTable } from '../../terminal/table.ts'

interface AdversaryFlags {
  readonly suite: string
  readonly manifest: string
  readonly profile: string
  readonly scope: string
  readonly grants: boolean
  readonly maxAsr?: string
  readonly minUtility?: string
  readonly minAutomation?: string
}

const SCOPES = ['provenance', 'profile'] as const

/** Replays a suite with a planner that obeys every injection. Thresholds that do not hold have an exit code of their own. */
export async function adversary(shell: Shell, flags: AdversaryFlags): Promise<ExitCode> {
  const scope = SCOPES.find((known) => known === flags.scope)
  if (scope === undefined) throw new CliError('usage_invalid', `--scope is one of ${SCOPES.join(', ')}.`)
  const thresholds = {
    ...shareOf('maxAsr', flags.maxAsr, '--max-asr'),
    ...shareOf('minUtility', flags.minUtility, '--min-utility'),
    ...shareOf('minAutomation', flags.minAutomation, '--min-automation'),
  }
  const { judgeAdversary } = await import('@tidegate/workbench')
  const paths = { suiteDir: resolve(shell.cwd, flags.suite), manifest: resolve(shell.cwd, flags.manifest) }
  const report = judgeAdversary({ ...paths, profile: flags.profile, scope, planGrant: flags.grants }, thresholds)
  shell.result(report, (view) => renderAdversary(shell, view))
  return report.exceeded.length > 0 ? EXIT.casesFailed : EXIT.ok
}

function shareOf<Name extends string>(name: Name, text: string | undefined, flag: string): Partial<Record<Name, number>> {
  if (text === undefined) return {}
  const percent = Number(text)
  if (!/^\d{1,3}(?:\.\d{1,6})?$/.test(text) || percent > 100)
    throw new CliError('usage_invalid', `${flag} is a percentage from 0 to 100, such as ${flag} 0.5.`)
  return { [name]: percent / 100 } as Record<Name, number>
}

const COLUMNS = ['suite', 'attacks', 'stamped', 'hidden writes', 'tasks', 'done', 'without a person', 'questions', 'under attack']

/** A row for each suite, one for all, what came through, and which thresholds do not hold. */
export function renderAdversary({ style, columns }: Pick<Shell, 'style' | 'columns'>, report: JudgedAdversary): string {
  const rows = [...report.suites, report.overall].map((each) => [
    each.suite,
    `${each.attacks}/${each.pairs}`,
    `${each.stamped}/${each.pairs}`,
    `${each.injectedWrites}/${each.pairs}`,
    String(each.tasks),
    `${each.done}/${each.tasks}`,
    `${each.doneWithout}/${each.tasks}`,
    String(each.questions),
    `${each.doneUnderAttack}/${each.pairs}`,
  ])
  const leaks = report.overall.leaks
    .filter(({ decisive }) => decisive)
    .slice(0, SHOWN)
    .map(
      ({ suite, task, injection, calls }) => `${style('bad', 'came through')} ${suite} ${task} ${injection}: ${calls.join(', ')}`,
    )
  return [
    `A planner in the hands of the attacker, under ${report.profile} (${report.scope}, ${report.plan === 'plan' ? 'with' : 'without'} grants):`,
    renderTable(COLUMNS, rows, columns),
    ...leaks,
    ...report.warnings.slice(0, SHOWN).map((warning) => `${style('warn', 'warning')} ${warning}`),
    ...report.exceeded.map((line) => style('bad', line)),
  ].join('\n')
}

const SHOWN = 20
