import type { WireToolChange } from '@tidegate/protocol'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { withClient } from '../session.ts'
import type { Shell } from '../shell.ts'
import { renderPreview } from '../terminal/difference.ts'
import { followChange, type WaitFlags } from './policy-change.ts'

/** Lists operations that are denied because they have changed since somebody accepted them, with what has changed. */
export function review(shell: Shell): Promise<ExitCode> {
  return withClient(shell, 'look', async (client) => {
    shell.result({ changes: await client.toolChanges() }, ({ changes }) => renderChanges(shell, changes))
    return EXIT.ok
  })
}

/** Proposes to use an operation as it is declared now. */
export function accept(shell: Shell, operation: string, flags: WaitFlags & { readonly why: string }): Promise<ExitCode> {
  return withClient(shell, 'change', async (client) =>
    followChange(shell, client, await client.toolAccept({ operation, why: flags.why }), flags),
  )
}

function renderChanges({ style }: Shell, changes: readonly WireToolChange[]): string {
  if (changes.length === 0) return 'Every operation is declared as it was accepted.'
  const blocks = changes.map(({ operation, accepted, before, after }) => {
    const lines = before === null ? [] : renderPreview({ before, after }).map(({ sign, text }) => `  ${sign} ${text}`)
    const said = accepted === null ? 'nobody has accepted it yet' : 'denied until somebody accepts the change'
    return [`${style('strong', operation)}  ${style('warn', said)}`, ...lines].join('\n')
  })
  return [...blocks, `Accept one: ${style('link', 'tidegate tools accept OPERATION --as NAME --why "..."')}`].join('\n\n')
}
