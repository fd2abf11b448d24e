import { resolve } from 'node:path'
import { CliError } from '../../error.ts'
import { EXIT, type ExitCode } from '../../exit-code.ts'
import { findProject } from '../../project/find-project.ts'
import type { Shell } from '../../shell.ts'
import { renderLint } from './lint.ts'
import { renderDecisionDiff, renderPolicyDiff } from './render-diff.ts'

interface PlanFlags {
  readonly against?: string
  readonly samples: string
  readonly last: string
  readonly since?: string
  readonly backtest: boolean
}

/** At most so many requests are decided twice: some seconds. */
const MAX_SAMPLES = 1_000_000

/**
 * Says what the policies of the project would change: against those that the server has in force, and what they would have decided in
 * the past; or against another directory, without a server. It fails for policies that do not load.
 */
export async function plan(shell: Shell, flags: PlanFlags): Promise<ExitCode> {
  if (flags.against === undefined) return (await import('../policy-change.ts')).planOnServer(shell, flags)
  const samples = Number(flags.samples)
  if (!Number.isInteger(samples) || samples < 1 || samples > MAX_SAMPLES)
    throw new CliError('usage_invalid', `--samples must be a number from 1 to ${MAX_SAMPLES}.`)
  const { planProject } = await import('@tidegate/workbench')
  const options = { against: resolve(shell.cwd, flags.against), samples }
  const found = await shell.progress('Comparing the policies', planProject(findProject(shell), options))
  shell.result(found, (view) => {
    const findings = view.lint.findings.length === 0 ? [] : ['', renderLint(shell.style, view.lint)]
    const decisions =
      view.decisions === null ? [`Decisions are not compared: ${view.notCompared}`] : renderDecisionDiff(shell, view.decisions)
    return [...renderPolicyDiff(shell, view.diff), '', ...decisions, ...findings].join('\n')
  })
  return found.lint.findings.some(({ severity }) => severity === 'error') ? EXIT.failed : EXIT.ok
}
