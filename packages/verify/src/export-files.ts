import { type Dirent, opendirSync } from 'node:fs'
import { join } from 'node:path'
import { parseTilePath, tileWidth } from '@tidegate/kernel'
import { errorCode, readBounded } from './bounded-file.ts'
import { Refusal } from './verdict.ts'

/** Where the ledger's own key lies in an export. */
export const KEY_PATH = 'keys/log.vkey'

/** Where the signed checkpoint lies in an export. */
export const CHECKPOINT_PATH = 'checkpoint'

/** Reads one file of an export, or refuses the export. */
export function readExportFile(directory: string, path: string, maxBytes: number): Buffer {
  const read = readBounded(join(directory, path), maxBytes)
  if (read.kind === 'missing') throw new Refusal('file_missing', path, 'The file is not in the export.')
  if (read.kind === 'unusable') throw new Refusal('file_malformed', path, `The file is refused: ${read.detail}.`)
  return read.bytes
}

/** Whether a ledger of this size has a file at this path. Payload files are recognised by their name alone. */
export function isExportPath(path: string, size: number): boolean {
  if (path === CHECKPOINT_PATH || path === KEY_PATH) return true
  if (/^payloads\/[A-Za-z0-9][A-Za-z0-9._-]{0,127}\.jsonl$/.test(path)) return true
  const parsed = parseTilePath(path)
  return parsed !== undefined && tileWidth(size, parsed.tile.level, parsed.tile.index) === parsed.tile.width
}

/**
 * Refuses an export with a file in it that the checkpoint does not cover: whatever lies there was never verified.
 *
 * Stops at the first such file, so that a directory of any size is walked only as far as it is good.
 */
export function refuseUnexpectedFiles(directory: string, size: number): void {
  for (const path of walk(directory, '', 0)) {
    if (!isExportPath(path, size))
      throw new Refusal('file_unexpected', path, 'No entry, hash or payload of this ledger belongs there.')
  }
}

/** The names of the payload files, one at a time. */
export function* payloadFiles(directory: string): Generator<string> {
  for (const entry of list(join(directory, 'payloads'))) yield `payloads/${entry.name}`
}

function* walk(directory: string, below: string, depth: number): Generator<string> {
  for (const entry of list(join(directory, below))) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`
    if (entry.isDirectory() && depth < 10) yield* walk(directory, path, depth + 1)
    else yield path
  }
}

function* list(path: string): Generator<Dirent> {
  let directory: ReturnType<typeof opendirSync>
  try {
    directory = opendirSync(path)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return
    throw new Refusal('file_malformed', path, `The directory cannot be read (${errorCode(error)}).`)
  }
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) yield entry
  } finally {
    directory.closeSync()
  }
}
