import { createHash } from 'node:crypto'
import { lstatSync, readFileSync, realpathSync, type Stats, statSync } from 'node:fs'
import { ConnectError } from './error.ts'

/** A file as it is, with what must survive a change of it. */
export interface FileState {
  /** The file behind all symbolic links. */
  readonly target: string
  readonly bytes: Uint8Array
  readonly sha256: string
  /** Permission bits. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtimeMs: number
}

const MAX_BYTES = 8 * 1_048_576

/** Hex SHA-256. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/**
 * Reads a file through symbolic links; undefined when nothing is there.
 *
 * What is at the path is the user's, or a repository's that the user opened: only a regular file of a configuration's size is read.
 *
 * @throws ConnectError `file_unsupported` for anything else, and for a link that leads nowhere; `file_unwritable` when it cannot be read.
 */
export function readFileState(file: string): FileState | undefined {
  const target = resolveLinks(file)
  if (target === undefined) return undefined
  const stats = lookAt(target, file)
  if (!stats.isFile())
    throw new ConnectError('file_unsupported', `${file} is not a file. Move it away, or name another with --config.`)
  if (stats.size > MAX_BYTES)
    throw new ConnectError('file_unsupported', `${file} is larger than 8 MiB: that is no configuration.`)
  try {
    const bytes = readFileSync(target)
    const { mode, uid, gid, mtimeMs } = stats
    return { target, bytes, sha256: sha256Of(bytes), mode: mode & 0o7777, uid, gid, mtimeMs }
  } catch (cause) {
    throw new ConnectError('file_unwritable', `${file} cannot be read (${codeOf(cause)}). Give this user the right to.`, {
      cause,
    })
  }
}

/** Where a path leads; undefined when nothing is there. */
function resolveLinks(file: string): string | undefined {
  try {
    return realpathSync(file)
  } catch (cause) {
    const code = codeOf(cause)
    if (code !== 'ENOENT' && code !== 'ENOTDIR')
      throw new ConnectError('file_unsupported', `${file} cannot be followed (${code}). Look where its links lead.`, { cause })
    if (isLink(file))
      throw new ConnectError('file_unsupported', `${file} is a link that leads nowhere. Remove it, or make the file it names.`)
    return undefined
  }
}

function isLink(file: string): boolean {
  try {
    return lstatSync(file).isSymbolicLink()
  } catch {
    return false
  }
}

function lookAt(target: string, file: string): Stats {
  try {
    return statSync(target)
  } catch (cause) {
    throw new ConnectError('file_unwritable', `${file} cannot be looked at (${codeOf(cause)}).`, { cause })
  }
}

/** The code of a system error, such as ENOSPC. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown'
}
