import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConnectError } from './error.ts'
import { codeOf, sha256Of } from './file-state.ts'
import { type ConnectionRecord, isConnectionRecord, isProofFile, type ProofFile } from './record.ts'
import { replaceFile } from './replace-file.ts'

/** The connections of one project: records, backups and proofs, each in the folder of its host. */
export interface ConnectionStore {
  readonly directory: string
  read(name: string): ConnectionRecord | undefined
  list(): readonly ConnectionRecord[]
  write(record: ConnectionRecord): void
  /** Keeps bytes under their hash, durably, and answers the hash. */
  keep(name: string, bytes: Uint8Array): string
  /** The bytes that were kept, checked against their hash. */
  kept(name: string, sha256: string): Uint8Array
  /** Forgets a connection with its backups. */
  forget(name: string): void
  readProof(name: string): ProofFile | undefined
  writeProof(name: string, proof: ProofFile): void
  /** Runs `work` while nobody else changes this connection. The lock of a process that is gone does not count. */
  locked<T>(name: string, work: () => Promise<T>): Promise<T>
}

const NAME = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/
const MAX_RECORD = 1_048_576

/**
 * Opens the store in a directory; it is made when something is first written.
 *
 * @throws ConnectError `record_broken` from every reading of something that we did not write, or not like this.
 */
export function openConnections(directory: string): ConnectionStore {
  const folder = (name: string): string => {
    if (!NAME.test(name))
      throw new ConnectError(
        'not_connected',
        `"${name.slice(0, 64)}" is not the name of a host: lower-case letters, digits, dashes.`,
      )
    return join(directory, name)
  }
  const write = (name: string, file: string, bytes: Uint8Array): void => {
    mkdirSync(join(folder(name), 'backup'), { recursive: true, mode: 0o700 })
    replaceFile(join(folder(name), file), undefined, { bytes, mode: 0o600 })
  }
  const json = (value: unknown): Uint8Array => new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`)
  const read = (name: string): ConnectionRecord | undefined =>
    readChecked(join(folder(name), 'connection.json'), isConnectionRecord)
  return {
    directory,
    read,
    list: () => namesIn(directory).flatMap((name) => read(name) ?? []),
    write: (record) => write(record.name, 'connection.json', json(record)),
    keep: (name, bytes) => {
      const sha256 = sha256Of(bytes)
      write(name, join('backup', sha256), bytes)
      return sha256
    },
    kept: (name, sha256) => {
      const file = join(folder(name), 'backup', sha256)
      const bytes = existsSync(file) ? readFileSync(file) : undefined
      if (bytes === undefined || sha256Of(bytes) !== sha256)
        throw new ConnectError(
          'backup_broken',
          `The backup ${file} is missing or was changed. Use a copy of your own, or --force to only take our parts out.`,
        )
      return bytes
    },
    forget: (name) => rmSync(folder(name), { recursive: true, force: true }),
    readProof: (name) => readChecked(join(folder(name), 'proof.json'), isProofFile),
    writeProof: (name, proof) => write(name, 'proof.json', json(proof)),
    locked: (name, work) => withLock(folder(name), work),
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
      .filter((name) => NAME.test(name))
      .toSorted()
  } catch {
    return []
  }
}

function readChecked<T>(file: string, is: (value: unknown) => value is T): T | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined
    throw new ConnectError('record_broken', `${file} cannot be read (${codeOf(cause)}).`, { cause })
  }
  try {
    const value: unknown = text.length > MAX_RECORD ? undefined : JSON.parse(text)
    if (is(value)) return value
  } catch (cause) {
    throw new ConnectError('record_broken', `${file} is not JSON. Put it back from a copy.`, { cause })
  }
  throw new ConnectError(
    'record_broken',
    `${file} was not written by this version of Tidegate, or was changed. Put it back from a copy.`,
  )
}

async function withLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, 'lock')
  if (!tryLock(file)) {
    const holder = Number(existsSync(file) ? readFileSync(file, 'utf8') : '')
    if (isAlive(holder))
      throw new ConnectError('locked', `Process ${holder} is changing this connection. Wait until it has ended, and try again.`)
    rmSync(file, { force: true })
    if (!tryLock(file)) throw new ConnectError('locked', 'Somebody else has just begun to change this connection. Try again.')
  }
  try {
    return await work()
  } finally {
    rmSync(file, { force: true })
  }
}

function tryLock(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx', mode: 0o600 })
    return true
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') return false
    throw new ConnectError('file_unwritable', `${file} cannot be written (${codeOf(cause)}).`, { cause })
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}
