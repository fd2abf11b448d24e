import type { WireStop, WireStopReport } from '@tidegate/protocol'
import { CliError } from '../error.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { withClient } from '../session.ts'
import type { Shell } from '../shell.ts'
import { renderTable } from '../terminal/table.ts'
import { renderDuration, renderWhen } from '../terminal/time.ts'
import { settle } from './run.ts'
import { findRun } from './runs.ts'
import { renderStory } from './story.ts'

const UNDO_MS = 60_000

/** Raises a stop, and says what it did not reach any more. */
export function stop(
  shell: Shell,
  flags: { readonly scope: string; readonly why: string; readonly mode: string },
): Promise<ExitCode> {
  const mode = flags.mode === 'kill' ? 'kill' : flags.mode === 'hold' ? 'hold' : undefined
  if (mode === undefined) throw new CliError('usage_invalid', '--mode is hold (keep runs for a later lift) or kill (end them).')
  return withClient(shell, 'change', async (client) => {
    const sentMs = performance.now()
    const report = await client.stop({ scope: flags.scope, why: flags.why, mode })
    const roundTripMs = Math.round((performance.now() - sentMs) * 100) / 100
    shell.result({ ...report, roundTripMs }, (view) => renderStop(shell, view))
    return EXIT.ok
  })
}

/** Lifts a stop by its id, or all stops over a scope. */
export function lift(
  shell: Shell,
  id: string | undefined,
  flags: { readonly scope?: string; readonly why: string },
): Promise<ExitCode> {
  if ((id === undefined) === (flags.scope === undefined))
    throw new CliError('usage_invalid', 'Name either a stop or --scope. `tidegate stops` lists those in force.')
  return withClient(shell, 'change', async (client) => {
    const target =
      flags.scope === undefined ? { stop: await wholeStopId(() => client.stops(), id ?? '') } : { scope: flags.scope }
    shell.result(
      await client.lift({ ...target, why: flags.why }),
      ({ stops }) => `Lifted: ${stops.map(({ id: stopId, scope }) => `${stopId} (${scope})`).join(', ')}. Held runs go on.`,
    )
    return EXIT.ok
  })
}

/** Lists the stops in force. */
export function stops(shell: Shell): Promise<ExitCode> {
  return withClient(shell, 'look', async (client) => {
    shell.result({ stops: await client.stops() }, (view) => renderStops(view.stops))
    return EXIT.ok
  })
}

/** Undoes a finished run, and waits until that is done. */
export function undo(shell: Shell, id: string, flags: { readonly why: string }): Promise<ExitCode> {
  return withClient(shell, 'change', async (client) => {
    const { run } = await findRun(client, id)
    const opened = await client.undo(run, flags.why)
    const detail = await settle(shell, client, opened.run, UNDO_MS)
    shell.result({ undoes: run, ...opened, state: detail.state, detail }, (view) => renderStory(shell, view.detail))
    if (detail.state === 'completed') return EXIT.ok
    return detail.state === 'waiting' ? EXIT.approvalPending : EXIT.failed
  })
}

async function wholeStopId(list: () => Promise<readonly WireStop[]>, given: string): Promise<string> {
  const ids = (await list()).map((each) => each.id)
  if (ids.includes(given)) return given
  const matching = ids.filter((each) => each.startsWith(given) || each.endsWith(given))
  if (matching.length > 1)
    throw new CliError(
      'id_ambiguous',
      `Several stops begin or end with "${given}": ${matching.join(', ')}. Write more of the id.`,
    )
  return matching[0] ?? given
}

function renderStop(shell: Shell, report: WireStopReport & { readonly roundTripMs: number }): string {
  const { style } = shell
  const { stop: raised, acknowledgedMs, running, roundTripMs } = report
  const head = `${style('bad', 'Stopped')} ${raised.scope} (${raised.mode}), in force after ${renderDuration(acknowledgedMs)}; ${renderDuration(roundTripMs)} seen from here. Stop ${raised.id}.`
  const rest =
    running.length === 0
      ? ['Nothing in its scope was under way. Nothing in its scope starts until it is lifted.']
      : [
          `${running.length} ${running.length === 1 ? 'effect' : 'effects'} had already started and cannot be called back; what comes of it will be recorded:`,
          ...running.map(({ run, operation, sinceMs }) => `  ${operation} in run ${run}, for ${renderDuration(sinceMs)}`),
          'Nothing else in its scope starts until it is lifted.',
        ]
  return [head, ...rest, '', `Lift it: ${style('link', `tidegate lift ${raised.id} --as NAME --why "..."`)}`].join('\n')
}

function renderStops(list: readonly WireStop[]): string {
  if (list.length === 0) return 'No stop is in force. Raise one: tidegate stop --scope global --why "..."'
  const nowMs = Date.now()
  return renderTable(
    ['stop', 'scope', 'mode', 'by', 'since', 'why'],
    list.map((each) => [each.id, each.scope, each.mode, each.by, renderWhen(each.atMs, nowMs), each.why.replaceAll('\n', ' ')]),
  )
}
