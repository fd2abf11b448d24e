import type { WireQueueItem } from '@tidegate/protocol'
import { CliError } from '../error.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { withClient } from '../session.ts'
import type { Shell } from '../shell.ts'
import { renderTable } from '../terminal/table.ts'
import { renderWhen } from '../terminal/time.ts'

/** Lists what waits for a person; with `--all` also what was settled. */
export function list(shell: Shell, flags: { readonly all?: boolean }): Promise<ExitCode> {
  return withClient(shell, 'look', async (client) => {
    shell.result({ items: await client.queue(flags.all === true) }, ({ items }) => renderQueue(shell, items, flags.all === true))
    return EXIT.ok
  })
}

/** Says that a person has settled an item, and how. */
export function resolve(shell: Shell, item: string, flags: { readonly why: string }): Promise<ExitCode> {
  return withClient(shell, 'change', async (client) => {
    const ids = (await client.queue(true)).map((each) => each.item)
    const matching = ids.includes(item) ? [item] : ids.filter((each) => each.startsWith(item) || each.endsWith(item))
    if (matching.length > 1)
      throw new CliError(
        'id_ambiguous',
        `Several items begin or end with "${item}": ${matching.slice(0, 5).join(', ')}. Write more of the id.`,
      )
    shell.result(await client.resolve(matching[0] ?? item, flags.why), (view) => `Settled ${view.item}.`)
    return EXIT.ok
  })
}

function renderQueue(shell: Shell, items: readonly WireQueueItem[], all: boolean): string {
  if (items.length === 0) return 'Nothing waits for a person. `tidegate queue list --all` shows what was settled.'
  const nowMs = Date.now()
  // The id of an item begins with that of its run.
  const rows = items.map((each) => [
    each.item,
    each.kind,
    renderWhen(each.atMs, nowMs),
    ...(all ? [each.resolvedBy ?? '-'] : []),
    `${each.title}. ${each.detail}`.replaceAll('\n', ' '),
  ])
  return [
    renderTable(['item', 'kind', 'since', ...(all ? ['settled by'] : []), 'what'], rows, shell.columns),
    '',
    `Its story:  ${shell.style('link', 'tidegate runs show RUN')} (the item up to the dot)`,
    `Settle one: ${shell.style('link', 'tidegate queue resolve ITEM --as NAME --why "..."')}`,
  ].join('\n')
}
