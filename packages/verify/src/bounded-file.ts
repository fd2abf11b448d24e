import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

/** What came of reading a file: its bytes, or why there are none. */
export type FileRead =
  | { readonly kind: 'read'; readonly bytes: Buffer }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unusable'; readonly detail: string }

/**
 * Reads a regular file of at most `maxBytes`. Symbolic links, devices and pipes are not followed or opened: the directory is
 * controlled by whoever made the export.
 */
export function readBounded(path: string, maxBytes: number): FileRead {
  let descriptor: number
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    const code = errorCode(error)
    return code === 'ENOENT' || code === 'ENOTDIR'
      ? { kind: 'missing' }
      : { kind: 'unusable', detail: `it cannot be opened (${code})` }
  }
  try {
    const status = fstatSync(descriptor)
    if (!status.isFile()) return { kind: 'unusable', detail: 'it is not a regular file' }
    if (status.size > maxBytes) return { kind: 'unusable', detail: `it has ${status.size} bytes; at most ${maxBytes} are read` }
    const bytes = Buffer.allocUnsafe(status.size)
    let filled = 0
    while (filled < bytes.length) {
      const count = readSync(descriptor, bytes, filled, bytes.length - filled, filled)
      if (count === 0) return { kind: 'unusable', detail: 'it became shorter while it was read' }
      filled += count
    }
    return { kind: 'read', bytes }
  } finally {
    closeSync(descriptor)
  }
}

/**
 * Yields the lines of a regular file of ASCII text, without their newlines, and `undefined` for a last line without newline, a
 * line past the limit, or a file that cannot be read; after that, nothing.
 */
export function* readLines(path: string, maxLineChars: number): Generator<string | undefined> {
  let descriptor: number
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch {
    yield undefined
    return
  }
  try {
    if (!fstatSync(descriptor).isFile()) {
      yield undefined
      return
    }
    const chunk = Buffer.allocUnsafe(1 << 16)
    let rest = ''
    for (;;) {
      const count = readSync(descriptor, chunk)
      if (count === 0) break
      const lines = (rest + chunk.toString('latin1', 0, count)).split('\n')
      rest = lines.pop() ?? ''
      yield* lines
      if (rest.length > maxLineChars) break
    }
    if (rest !== '') yield undefined
  } finally {
    closeSync(descriptor)
  }
}

/** The `code` of a system error, such as ENOENT. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown'
}
