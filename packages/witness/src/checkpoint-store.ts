import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, statSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { encodeHex, NOTE_MAX_BYTES } from '@tidegate/kernel'
import { WitnessError } from './error.ts'
import { nodeHasher } from './node-crypto.ts'

/** Remembers one signed note per ledger. */
export interface CheckpointStore {
  /**
   * The note stored last, `undefined` when there never was one.
   *
   * @throws WitnessError `witness_state_unusable` when there is something that cannot be read: never taken for nothing.
   */
  read(origin: string): string | undefined
  /**
   * Stores a note in place of the last one. When this returns, the note survives a loss of power.
   *
   * If we crash before the rename, the old note stands and the caller got no answer. If we crash after it, the new one stands,
   * and the log learns so from the next answer, a conflict.
   *
   * @throws WitnessError `witness_state_unusable` when it cannot be stored; the old note may stand or the new one.
   */
  write(origin: string, note: string): void
  /** Lets another process use the directory. */
  close(): void
}

/** The name of a ledger's file, which is also its name for monitors: SHA-256 of the origin in hex (C2SP tlog-witness). */
export function originHash(origin: string): string {
  return encodeHex(nodeHasher.sha256(origin))
}

/**
 * Opens a directory as a store, one file per ledger, and keeps other witnesses out of it: two that share a directory could roll
 * each other back.
 *
 * @throws WitnessError `witness_state_in_use` or `witness_state_unusable`.
 */
export function openCheckpointStore(directory: string): CheckpointStore {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const lock = join(directory, 'witness.lock')
  takeLock(lock)
  const fileOf = (origin: string) => join(directory, `${originHash(origin)}.checkpoint`)
  return {
    read: (origin) => readStored(fileOf(origin)),
    write: (origin, note) => writeDurably(directory, fileOf(origin), note),
    close: () => unlinkSync(lock),
  }
}

function readStored(path: string): string | undefined {
  try {
    if (statSync(path).size > NOTE_MAX_BYTES) throw new WitnessError('witness_state_unusable', `The file ${path} is too large.`)
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return undefined
    if (cause instanceof WitnessError) throw cause
    throw new WitnessError('witness_state_unusable', `The file ${path} cannot be read.`, { cause })
  }
}

function writeDurably(directory: string, path: string, text: string): void {
  try {
    const temporary = `${path}.new`
    writeAndSync(temporary, text)
    renameSync(temporary, path)
    const folder = openSync(directory, 'r')
    try {
      fsyncSync(folder)
    } finally {
      closeSync(folder)
    }
  } catch (cause) {
    throw new WitnessError('witness_state_unusable', `The file ${path} cannot be written durably.`, { cause })
  }
}

/** Writes a file that only its owner can read and does not return before the disk has it. */
export function writeAndSync(path: string, text: string, flags: 'w' | 'wx' = 'w'): void {
  const descriptor = openSync(path, flags, 0o600)
  try {
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Takes the lock, also from a process that is gone. */
function takeLock(path: string): void {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeAndSync(path, `${process.pid}\n`, 'wx')
      return
    } catch (cause) {
      if (errorCode(cause) !== 'EEXIST')
        throw new WitnessError('witness_state_unusable', `The file ${path} cannot be made.`, { cause })
    }
    const owner = Number(readStored(path)?.trim())
    if (Number.isSafeInteger(owner) && owner > 0 && owner !== process.pid && isAlive(owner)) break
    unlinkSync(path)
  }
  const message = `Another witness uses this state, says ${path}. Stop it, or give each witness its own directory.`
  throw new WitnessError('witness_state_in_use', message)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errorCode(error) === 'EPERM'
  }
}

/** The `code` of a system error; `undefined` for anything else. */
function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
