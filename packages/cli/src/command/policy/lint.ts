import type { LintFinding, LintReport } from '@tidegate/workbench'
import { EXIT, type ExitCode } from '../../exit-code.ts'
import { findProject } from '../../project/find-project.ts'
import type { Shell } from '../../shell.ts'
import type { Style, Tone } from '../../terminal/style.ts'

const TONES: Readonly<Record<LintFinding['severity'], Tone>> = { error: 'bad', warning: 'warn', info: 'faint' }

/** Says everything that is wrong or suspicious about the policies of the project. It fails for errors; with --strict for warnings, too. */
export async function lint(shell: Shell, flags: { readonly strict?: boolean }): Promise<ExitCode> {
  const { lintProject } = await import('@tidegate/workbench')
  const report = await shell.progress('Looking at the policies', lintProject(findProject(shell)))
  shell.result(report, (view) => renderLint(shell.style, view))
  const bad = report.findings.some(({ severity }) => severity === 'error' || (flags.strict === true && severity === 'warning'))
  return bad ? EXIT.failed : EXIT.ok
}

/** The findings, a line each as editors understand it, and how many there are. */
export function renderLint(style: Style, { policies, findings }: LintReport): string {
  const lines = findings.map(({ severity, rule, file, line, column, policy, message }) => {
    const subject = policy === '' ? '' : `${policy}: `
    return `${file}:${line}:${column}: ${style(TONES[severity], severity)}: ${subject}${message} ${style('faint', `(${rule})`)}`
  })
  const counts = (['error', 'warning', 'info'] as const).map((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length
    return count === 0 ? [] : [`${count} ${severity}${count === 1 || severity === 'info' ? '' : 's'}`]
  })
  const summary = counts.flat().join(', ')
  return [...lines, `${policies} policies: ${summary === '' ? style('good', 'nothing to say') : summary}`].join('\n')
}
