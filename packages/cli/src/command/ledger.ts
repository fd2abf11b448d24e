import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { CliError } from '../error.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { withClient } from '../session.ts'
import type { Shell } from '../shell.ts'
import { renderPairs } from '../terminal/table.ts'
import { renderDuration } from '../terminal/time.ts'
import { findRun } from './runs.ts'

/** Recomputes the whole ledger. Exit code 1 when it is not what its checkpoint says. */
export function verify(shell: Shell): Promise<ExitCode> {
  return withClient(shell, 'look', async (client) => {
    const answer = await shell.progress('Recomputing the ledger', client.ledgerVerify())
    shell.result(answer, (view) => {
      const took = `${view.size} entries, ${renderDuration(view.durationMs)}`
      if (view.verified) return `${shell.style('good', 'The ledger is whole')}: ${took}, root ${view.root}`
      return [
        `${shell.style('bad', 'The ledger is NOT what it says')}: ${took}`,
        ...view.problems.map((problem) => `  ${problem}`),
      ].join('\n')
    })
    return answer.verified ? EXIT.ok : EXIT.failed
  })
}

/** Shows the size, the root and the signed checkpoint. */
export function head(shell: Shell): Promise<ExitCode> {
  return withClient(shell, 'look', async (client) => {
    shell.result(await client.ledgerHead(), ({ size, root, epoch, checkpoint }) => {
      const facts = renderPairs([
        ['Entries', String(size)],
        ['Root', root],
        ['Epoch', String(epoch)],
      ])
      return `${facts}\n\n${checkpoint.trimEnd()}`
    })
    return EXIT.ok
  })
}

/** Writes an export that can be verified without us. */
export function exportLedger(shell: Shell, directory: string, flags: { readonly payloads?: boolean }): Promise<ExitCode> {
  return withClient(shell, 'change', async (client) => {
    const request = { directory: resolve(shell.cwd, directory), payloads: flags.payloads === true }
    shell.result(await shell.progress('Writing the export', client.ledgerExport(request)), (view) => {
      return `${view.size} entries in ${view.files} files: ${view.directory}\nVerify it offline: npx tidegate-verify export ${view.directory}`
    })
    return EXIT.ok
  })
}

/** Shows or writes the receipt of one entry: proof that it is in the ledger, checkable offline. */
export function receipt(
  shell: Shell,
  flags: { readonly index?: string; readonly run?: string; readonly out?: string },
): Promise<ExitCode> {
  if ((flags.index === undefined) === (flags.run === undefined))
    throw new CliError('usage_invalid', 'Name either --index N or --run ID.')
  if (flags.index !== undefined && !/^\d{1,15}$/.test(flags.index))
    throw new CliError('usage_invalid', '--index must be a whole number.')
  return withClient(shell, 'look', async (client) => {
    const of = flags.run === undefined ? { index: Number(flags.index) } : { run: (await findRun(client, flags.run)).run }
    const answer = await client.receipt(of)
    if (flags.out === undefined) {
      shell.result(answer, (view) => view.text.trimEnd())
      return EXIT.ok
    }
    const file = resolve(shell.cwd, flags.out)
    try {
      writeFileSync(file, answer.text, { flag: 'wx' })
    } catch (cause) {
      throw new CliError('file_unreadable', `${file} cannot be written, or exists already.`, { cause })
    }
    shell.result({ index: answer.index, file }, (view) => `Receipt of entry ${view.index}: ${view.file}`)
    return EXIT.ok
  })
}
