import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from '@tidegate/client'
import type { WireBacktest, WireChangeAnswer, WirePolicyPlan, WireRunDetail } from '@tidegate/protocol'
import { CliError } from '../error.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { findProject } from '../project/find-project.ts'
import { withClient } from '../session.ts'
import type { Shell } from '../shell.ts'
import { renderDuration } from '../terminal/time.ts'
import { hang } from '../terminal/wrap.ts'
import { renderPolicyDiff } from './policy/render-diff.ts'
import { exitOf, seconds, settle } from './run.ts'

/** Which past decisions are decided again. */
export interface BacktestFlags {
  readonly last: string
  readonly since?: string
  readonly backtest: boolean
}

/** How long a change is waited for. */
export interface WaitFlags {
  readonly wait?: boolean
  readonly timeout: string
}

/** How long a change that needs nobody's approval is waited for in any case. */
const SETTLE_MS = 20_000
const POLL_MS = 1_000
const MAX_LAST = 1_000_000

/** Says what the policies of the project would change on the server, and what they would have decided in the past. */
export function planOnServer(shell: Shell, flags: BacktestFlags): Promise<ExitCode> {
  const backtest = rangeOf(flags, Date.now())
  return withClient(shell, 'look', async (client) => {
    const files = await readTexts(shell)
    const plan = await shell.progress('Planning, and deciding the past again', client.policyPlan({ files, backtest }))
    shell.result(plan, (view) => renderPlan(shell, view))
    return EXIT.ok
  })
}

/** Proposes the policies of the project, and says what has become of it so far. */
export function apply(shell: Shell, flags: BacktestFlags & WaitFlags & { readonly why: string }): Promise<ExitCode> {
  const backtest = rangeOf(flags, Date.now())
  return withClient(shell, 'change', async (client) => {
    const files = await readTexts(shell)
    const proposed = client.policyApply({ files, backtest, why: flags.why })
    return followChange(shell, client, await shell.progress('Planning, and deciding the past again', proposed), flags)
  })
}

/** Proposes to go back to a version. */
export function rollback(
  shell: Shell,
  version: string | undefined,
  flags: WaitFlags & { readonly why: string },
): Promise<ExitCode> {
  return withClient(shell, 'change', async (client) => {
    const answer = await client.policyRollback({ why: flags.why, ...(version === undefined ? {} : { version }) })
    return followChange(shell, client, answer, flags)
  })
}

/** Waits for the run of a change: until it rests or asks somebody; with --wait until it rests. */
export async function followChange(
  shell: Shell,
  client: Client,
  change: WireChangeAnswer,
  { wait = false, timeout }: WaitFlags,
): Promise<ExitCode> {
  const deadline = performance.now() + seconds(timeout) * 1_000
  let detail = await settle(shell, client, change.run, SETTLE_MS)
  if (wait && detail.state === 'waiting') {
    shell.note(waitsFor(detail).join('\n'))
    const answered = async (): Promise<void> => {
      while (detail.state === 'waiting' && performance.now() < deadline) {
        await pause(POLL_MS, undefined, { signal: shell.signal })
        detail = await settle(shell, client, change.run, SETTLE_MS)
      }
    }
    await shell.progress('Waiting for the reviewers', answered())
  }
  shell.result({ ...change, state: detail.state, detail }, (view) => renderChange(shell, view))
  return exitOf(detail)
}

/** The policies of the project as the server is to get them. Loads the project, and so runs the code of its tools. */
async function readTexts(shell: Shell) {
  const { policyTexts } = await import('@tidegate/workbench')
  const files = await policyTexts(findProject(shell))
  return files.map(({ file, layer, text }) => {
    if (layer === 'builtin') throw new CliError('usage_invalid', `${file} is built in and cannot be sent.`)
    return { file, layer, text }
  })
}

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Reads --last, --since and --no-backtest. */
export function rangeOf({ last, since, backtest }: BacktestFlags, nowMs: number): { last: number; sinceMs?: number } | null {
  if (!backtest) return null
  const count = Number(last)
  if (!Number.isInteger(count) || count < 1 || count > MAX_LAST)
    throw new CliError('usage_invalid', `--last must be a number from 1 to ${MAX_LAST}.`)
  if (since === undefined) return { last: count }
  const [, amount, unit] = /^(\d{1,5})([mhd])$/.exec(since) ?? []
  const sinceMs = unit === undefined ? Date.parse(since) : nowMs - Number(amount) * (UNIT_MS[unit] ?? 0)
  if (Number.isNaN(sinceMs) || sinceMs < 0)
    throw new CliError('usage_invalid', `"${since}" is no time. Write 7d, 12h, 30m or a date such as 2026-11-20.`)
  return { last: count, sinceMs }
}

function renderPlan(shell: Shell, plan: WirePolicyPlan): string {
  const { style } = shell
  if (plan.same) return 'The policies of the project are those that are in force. Nothing would change.'
  const who = plan.approvers.map(({ role, count }) => (count === 1 ? role : `${count} x ${role}`)).join(', ')
  return [
    `${style('strong', 'From')} ${plan.from.slice(0, 12)}  ${style('strong', 'to')} ${plan.to.slice(0, 12)}`,
    ...plan.files.map(({ file, change }) => `  ${change}: ${file}`),
    '',
    ...renderPolicyDiff(shell, plan.diff),
    '',
    ...(plan.backtest === null ? ['The past was left alone.'] : renderBacktest(shell, plan.backtest)),
    '',
    who === '' ? 'Nobody would be asked.' : `Would be asked: ${who}.`,
    `Propose it: ${style('link', 'tidegate policy apply --as NAME --why "..."')}`,
  ].join('\n')
}

/** How the past would come out, what is let through first. */
export function renderBacktest({ style, columns }: Pick<Shell, 'style' | 'columns'>, backtest: WireBacktest): readonly string[] {
  const { decided, changed, loosened, runs, groups, groupsLeftOut, undecidable, complete, durationMs } = backtest
  const through = loosened === 0 ? 'none of them lets more through' : style('bad', `${loosened} let more through`)
  const head = `Past: of ${decided} decisions in ${runs} ${runs === 1 ? 'run' : 'runs'} ${changed} would come out otherwise${changed === 0 ? '' : `; ${through}`} (${renderDuration(durationMs)}).`
  const gaps = [
    ...(undecidable.erased === 0 ? [] : [`${undecidable.erased} runs are erased and cannot be decided again`]),
    ...(undecidable.unrecorded + undecidable.undeclared === 0
      ? []
      : [`${undecidable.unrecorded + undecidable.undeclared} decisions lack what is needed to decide them again`]),
    ...(complete ? [] : ['there is more: --last and --since say how far to look back']),
    ...(groupsLeftOut === 0 ? [] : [`${groupsLeftOut} more ways in which decisions differ`]),
  ]
  return [
    head,
    ...groups.flatMap(({ from, to, operation, policies, were, otherApprovers, count, examples }) => {
      const tone = to === 'allow' ? 'bad' : 'warn'
      const how = otherApprovers ? 'other people are asked' : `${from} -> ${to}`
      const such = examples.map(({ run, action }) => `${run} action ${action}`).slice(0, 2)
      return [
        `  ${style(tone, how)}  ${count} x ${style('strong', operation)}`,
        hang('      ', `${were.join(', ') || 'nothing'} -> ${policies.join(', ') || 'nothing'}`, columns),
        hang('      ', `such as run ${such.join(', ')}`, columns),
      ]
    }),
    ...gaps.map((gap) => `  ${style('faint', gap)}`),
  ]
}

function renderChange(shell: Shell, change: WireChangeAnswer & { readonly detail: WireRunDetail }): string {
  const { style } = shell
  const { detail, version } = change
  const name = version.slice(0, 12)
  if (detail.state === 'completed') return `${style('good', 'In force')}: ${name} (run ${detail.run}).`
  if (detail.state === 'waiting')
    return [`${style('warn', 'Proposed')}: ${name} (run ${detail.run}).`, ...waitsFor(detail)].join('\n')
  const because = detail.actions
    .flatMap(({ policies, message }) => [...policies.map(({ reason }) => reason), message])
    .filter(Boolean)
  return [
    `${style('bad', 'Not done')}: ${name}. The run ${detail.run} is ${detail.state}; what was in force before still is.`,
    ...[...new Set(because)].map((line) => hang('  ', line, shell.columns)),
  ].join('\n')
}

function waitsFor(detail: WireRunDetail): readonly string[] {
  const open = detail.approvals.filter(({ state }) => state === 'open')
  const asked = detail.actions.at(-1)?.approvers.map(({ role, count }) => (count === 1 ? role : `${count} x ${role}`)) ?? []
  return [
    `It waits for ${asked.join(' and ')}; never for whoever proposed it.`,
    ...open.map(({ id }) => `  tidegate approvals show ${id}`),
    ...open.map(({ id }) => `  tidegate approvals approve ${id} --as NAME --why "..."`),
  ]
}
