import { readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ExportFile } from '@tidegate/kernel'
import { ServerError } from '../error.ts'
import { makeDirectory } from './make-directory.ts'

const ALTERED =
  'The export is refused: what is stored does not hash to the checkpoint that was signed. Run `tidegate ledger verify`, keep the journal, and restore the last good copy.'

/**
 * Writes the files of an export below a directory that is empty or absent; answers how many.
 *
 * @throws ServerError `state_unusable` when the directory holds something, or a file cannot be written.
 */
export async function writeExport(directory: string, files: Iterable<ExportFile>): Promise<number> {
  try {
    makeDirectory(directory)
    if (readdirSync(directory).length > 0)
      throw new ServerError('state_unusable', `${directory} is not empty. Name a new directory for the export.`)
    let count = 0
    for (const { path, bytes } of files) {
      const file = join(directory, path)
      makeDirectory(dirname(file))
      writeFileSync(file, bytes, { flag: 'wx' })
      count += 1
      if (count % 64 === 0) await new Promise((resolve) => setImmediate(resolve)) // others get a turn
    }
    return count
  } catch (cause) {
    if (cause instanceof ServerError) throw cause
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    if (code === 'ledger_range') throw new ServerError('state_unusable', ALTERED, { cause })
    throw new ServerError('state_unusable', `The export to ${directory} failed (${code}). What is there is not complete.`, {
      cause,
    })
  }
}
