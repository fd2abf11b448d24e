import type { WireObservedReport } from '@tidegate/protocol'
import { CliError } from '../error.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { withClient } from '../session.ts'
import type { Shell } from '../shell.ts'
import { renderTable } from '../terminal/table.ts'
import { renderWhen } from '../terminal/time.ts'

type Group = WireObservedReport['groups'][number]

const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const WOULD = { deny: 'denied', ask: 'asked about', dry_run: 'only tried out' } as const

/** Tells what would have been denied or asked about, had the hosts that are only observed been governed. */
export function report(
  shell: Shell,
  flags: { readonly host?: string; readonly since?: string; readonly limit?: string },
): Promise<ExitCode> {
  const sinceMs = flags.since === undefined ? undefined : Date.now() - parseAge(flags.since)
  const limit = Number(flags.limit ?? 10)
  if (!Number.isInteger(limit) || limit < 1) throw new CliError('usage_invalid', 'Write --limit with a whole number from 1.')
  return withClient(shell, 'look', async (client) => {
    const view = await client.observed({
      ...(flags.host === undefined ? {} : { host: flags.host }),
      ...(sinceMs === undefined ? {} : { sinceMs }),
    })
    shell.result(view, (each) => render(shell, each, limit))
    return EXIT.ok
  })
}

/** `90m`, `12h` or `7d` in milliseconds. */
function parseAge(text: string): number {
  const [, count, unit] = /^([1-9][0-9]{0,5})([mhd])$/.exec(text) ?? []
  if (count === undefined) throw new CliError('usage_invalid', 'Write --since as 90m, 12h or 7d.')
  return Number(count) * UNITS[unit as keyof typeof UNITS] // one of the three: the expression says so
}

function render(shell: Shell, { calls, outcomes, groups, isCut }: WireObservedReport, limit: number): string {
  const { style, columns } = shell
  if (calls === 0) return 'No call of an observed host is in the ledger yet. Connect one: tidegate connect claude-code'
  const { allow, ask, deny, dry_run: tried } = outcomes
  const head = `${calls} calls were only observed: ${allow} would have run, ${ask} would have been asked about, ${deny} denied, ${tried} only tried out.`
  if (groups.length === 0) return `${head}\n\nNothing would be in the way: tidegate connect HOST --enforce`
  const nowMs = Date.now()
  const shown = groups.slice(0, limit)
  const rows = shown.map(({ calls: count, outcome, operation, policy, lastMs }, i) => [
    String(i + 1),
    String(count),
    WOULD[outcome],
    operation,
    policy,
    renderWhen(lastMs, nowMs),
  ])
  const more = groups.length > limit ? [`... and ${groups.length - limit} more; write --limit ${groups.length} to see them.`] : []
  return [
    head,
    ...(isCut ? [style('warn', 'There are older calls that were not looked at.')] : []),
    '',
    renderTable(['', 'calls', 'would be', 'operation', 'by', 'last'], rows, columns),
    ...more,
    '',
    ...shown.flatMap((group, i) => renderGroup(shell, group, i + 1)),
  ].join('\n')
}

/** Why, and what would make it quiet: whether one should write that is for people to say. */
function renderGroup({ style }: Shell, { reason, example, quiet }: Group, n: number): readonly string[] {
  const [where, ...lines] = quiet
  return [
    `${n}  ${reason}`,
    `   One of them: ${style('link', `tidegate runs show ${example}`)}`,
    ...(where === undefined ? [] : [`   If such calls are fine, ${where}`, ...lines.map((line) => `     ${line}`)]),
    '',
  ]
}
