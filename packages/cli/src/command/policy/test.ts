import type { CaseReport, CaseResult } from '@tidegate/workbench'
import { EXIT, type ExitCode } from '../../exit-code.ts'
import { findProject } from '../../project/find-project.ts'
import type { Shell } from '../../shell.ts'
import type { Style } from '../../terminal/style.ts'

interface TestFlags {
  readonly coverage?: boolean
  readonly profile?: string
}

/** Runs the cases beside the policies. Cases that fail, and with --coverage policies that none exercises, have an exit code of their own. */
export async function test(shell: Shell, files: readonly string[], flags: TestFlags): Promise<ExitCode> {
  const { testProject } = await import('@tidegate/workbench')
  const { profile, coverage = false } = flags
  const options = { files, cwd: shell.cwd, ...(profile === undefined ? {} : { profile }) }
  const report = await shell.progress('Running the cases', testProject(findProject(shell), options))
  shell.result(report, (view) => renderCases(shell.style, view))
  return report.failed > 0 || (coverage && report.uncovered.length > 0) ? EXIT.casesFailed : EXIT.ok
}

/** Cases that failed with why, then how many there are and what they leave out. */
export function renderCases(style: Style, { cases, passed, failed, policies, uncovered }: CaseReport): string {
  const failures = cases.filter((each) => !each.passed).flatMap((each) => [...renderFailure(style, each), ''])
  const tally = [`${passed} passed`, ...(failed === 0 ? [] : [style('bad', `${failed} failed`)])].join(', ')
  const covered = policies - uncovered.length
  const gaps = uncovered.map(({ id, file, line }) => `  ${file}:${line}: ${style('warn', id)}`)
  return [
    ...failures,
    `${tally}; ${covered} of ${policies} policies exercised${gaps.length === 0 ? '' : '. No case exercises:'}`,
    ...gaps,
  ].join('\n')
}

function renderFailure(
  style: Style,
  { file, line, name, operation, outcome, policies, reasons, differences }: CaseResult,
): readonly string[] {
  return [
    `${style('bad', 'failed')} ${file}:${line}: ${name}`,
    ...differences.map((difference) => `  ${difference}`),
    `  ${operation}: ${outcome}, because`,
    ...policies.map((id, i) => `    ${id}: ${reasons[i] ?? ''}`),
  ]
}
