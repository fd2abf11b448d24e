import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs'
import { dirname, join, basename } from 'node:path'
import { ConnectError } from './error.ts'
import { codeOf, type FileState } from './file-state.ts'

/** How a file comes to be: with the bits, the owner and the time of the one it replaces, where there is one. */
export interface Replacement {
  readonly bytes: Uint8Array
  readonly mode: number
  readonly uid?: number
  readonly gid?: number
  readonly mtimeMs?: number
}

/**
 * Puts a whole file in the place of another, or of none, at once.
 *
 * If we crash before the rename, the old file is untouched and a file named `.NAME.tidegate-PID` is left beside it. If we crash after
 * it, the new one is there. A file that its owner made read-only is not replaced, although a rename could.
 *
 * @throws ConnectError `disk_full`, `file_read_only` or `file_unwritable`; then nothing has changed.
 */
export function replaceFile(target: string, existing: FileState | undefined, replacement: Replacement): void {
  if (existing !== undefined && (existing.mode & 0o200) === 0)
    throw new ConnectError(
      'file_read_only',
      `${target} is read-only. Allow writing (chmod u+w), or name another file with --config.`,
    )
  if (existing !== undefined && statSync(target).nlink > 1)
    throw new ConnectError(
      'file_unsupported',
      `${target} has a second name (hard link), which would part from it. Remove the other one.`,
    )
  const temporary = join(dirname(target), `.${basename(target)}.tidegate-${process.pid}`)
  try {
    writeWhole(temporary, replacement)
    renameSync(temporary, target)
    syncDirectory(dirname(target))
  } catch (cause) {
    discard(temporary)
    throw cannotWrite(target, cause)
  }
}

/** Removes what may be there; that it cannot be removed is not what went wrong. */
function discard(temporary: string): void {
  try {
    rmSync(temporary, { force: true })
  } catch {
    // The reason is thrown by whoever calls.
  }
}

/** Makes the missing folders above a file, and answers them, outermost first. */
export function makeFolders(file: string): readonly string[] {
  const missing: string[] = []
  for (let folder = dirname(file); !existsSync(folder); folder = dirname(folder)) missing.unshift(folder)
  try {
    for (const folder of missing) mkdirSync(folder, { mode: 0o700 })
  } catch (cause) {
    throw cannotWrite(dirname(file), cause)
  }
  return missing
}

/** Removes a file, and says what to do when that fails. */
export function removeFile(target: string): void {
  try {
    rmSync(target)
    syncDirectory(dirname(target))
  } catch (cause) {
    throw cannotWrite(target, cause)
  }
}

function writeWhole(file: string, { bytes, mode, uid, gid, mtimeMs }: Replacement): void {
  rmSync(file, { force: true })
  const descriptor = openSync(file, 'wx', 0o600)
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  const made = statSync(file)
  if (uid !== undefined && gid !== undefined && (made.uid !== uid || made.gid !== gid)) chownSync(file, uid, gid)
  chmodSync(file, mode)
  if (mtimeMs !== undefined) utimesSync(file, new Date(), new Date(mtimeMs))
}

/** Makes a rename in a folder durable; where a folder cannot be opened (Windows), the system does that by itself. */
export function syncDirectory(folder: string): void {
  let descriptor: number
  try {
    descriptor = openSync(folder, 'r')
  } catch {
    return
  }
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function cannotWrite(target: string, cause: unknown): ConnectError {
  if (cause instanceof ConnectError) return cause
  const code = codeOf(cause)
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new ConnectError('disk_full', `There is no room left to write ${target}. Free some space; nothing was changed.`, {
      cause,
    })
  if (code === 'EROFS') return new ConnectError('file_read_only', `${target} is on a disk that is mounted read-only.`, { cause })
  return new ConnectError('file_unwritable', `${target} cannot be written (${code}). Give this user the right to write there.`, {
    cause,
  })
}
