import { closeSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { ServerError } from '../error.ts'
import { makeDirectory } from './make-directory.ts'

/**
 * Reads a file that only its owner may read, or makes it. Never overwrites: a key that exists is used, whatever it holds.
 *
 * @throws ServerError `state_unusable` when others may read it, or it can neither be read nor made.
 */
export function readOrCreatePrivate(file: string, create: () => string): string {
  try {
    const { mode } = statSync(file)
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new ServerError('state_unusable', `Others may read ${file}. Protect it with: chmod 600 ${file}`)
    }
    return readFileSync(file, 'utf8')
  } catch (cause) {
    if (cause instanceof ServerError) throw cause
    if (!isMissing(cause)) throw new ServerError('state_unusable', `${file} cannot be read.`, { cause })
  }
  const text = create()
  writeAtomically(file, text, 0o600)
  return text
}

/** Writes a file so that it is there as a whole or not at all, also after a loss of power. */
export function writeAtomically(file: string, text: string, mode = 0o644): void {
  try {
    const made = makeDirectory(dirname(file), 0o700)
    const draft = `${file}.${process.pid}.tmp`
    const descriptor = openSync(draft, 'w', mode)
    try {
      writeSync(descriptor, text)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(draft, file)
    for (const directory of directoriesUp(dirname(file), made)) syncDirectory(directory)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    throw new ServerError(
      'state_unusable',
      `${file} cannot be written (${code}). Make its directory writable, or name another under store.directory.`,
      { cause },
    )
  }
}

/** A directory and, when some on the way to it are new, all those that hold one of them. */
function directoriesUp(directory: string, firstMade: string | undefined): readonly string[] {
  if (firstMade === undefined) return [directory]
  const top = dirname(resolve(firstMade))
  const up: string[] = []
  for (let at = resolve(directory); ; at = dirname(at)) {
    up.push(at)
    if (at === top || at === dirname(at)) return up
  }
}

/** Without this the name of a new file may be lost with the power although its bytes are not: a key would be gone, what it sealed is not. */
function syncDirectory(directory: string): void {
  if (process.platform === 'win32') return // a directory cannot be opened there
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
