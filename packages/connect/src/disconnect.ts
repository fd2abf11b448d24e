import type { HostAdapter } from './adapter.ts'
import { removeFolders } from './apply-connection.ts'
import { differenceOf } from './difference.ts'
import { ConnectError } from './error.ts'
import { type FileState, readFileState, sha256Of } from './file-state.ts'
import type { FileRecord } from './record.ts'
import { removeFile, replaceFile } from './replace-file.ts'
import type { ConnectionStore } from './store.ts'

/** What became of each file. */
export interface Disconnected {
  readonly name: string
  readonly files: readonly DisconnectedFile[]
}

/**
 * `restored`: byte for byte as before. `deleted`: there was none, and there is none again. `cleaned`: somebody had changed it since; only
 * our parts were taken out. `untouched`: it had been put back already. `overwritten`: by force, with what somebody had changed since kept
 * at `keptAt`.
 */
export interface DisconnectedFile {
  readonly file: string
  readonly outcome: 'restored' | 'deleted' | 'cleaned' | 'untouched' | 'overwritten'
  readonly removed?: readonly string[]
  readonly keptAt?: string
}

/**
 * Puts the configuration of a host back as it was before it was connected.
 *
 * Everything is decided before anything is written: when one file cannot be put back, none is. If we crash in between, the next call
 * goes on, since each file is judged by its hash. The record goes last.
 *
 * @throws ConnectError `file_edited` with what differs, when somebody has changed a file so that our parts cannot be told apart;
 * `force` overwrites it then.
 */
export async function disconnect(
  adapter: HostAdapter,
  store: ConnectionStore,
  name: string,
  options: { readonly force: boolean },
): Promise<Disconnected> {
  return store
    .locked(name, async () => {
      const record = store.read(name)
      if (record === undefined)
        throw new ConnectError('not_connected', `No host "${name}" is connected here. See: tidegate hosts`)
      const steps = record.files.map((file) => planStep(adapter, store, name, file, options.force))
      const files = steps.map((step) => step())
      removeFolders(record.directories)
      store.forget(name)
      return { name, files }
    })
    .finally(() => forgetEmpty(store, name))
}

/** A lock makes the folder of a connection; one that never was leaves none behind. */
function forgetEmpty(store: ConnectionStore, name: string): void {
  if (store.read(name) === undefined && store.readProof(name) === undefined) store.forget(name)
}

/** What is left of a JSON file when all that is left in it was ours, and the file was there before. */
const EMPTY_OBJECT = new TextEncoder().encode('{}\n')

type Step = () => DisconnectedFile

/** Decides what to do with one file, and answers how to do it. */
function planStep(adapter: HostAdapter, store: ConnectionStore, name: string, record: FileRecord, force: boolean): Step {
  const { file } = record
  const state = readFileState(file)
  const before = record.existed ? store.kept(name, record.backup) : undefined
  if (state === undefined) return record.existed ? putBack(record, before) : () => ({ file, outcome: 'untouched' })
  if (record.existed && state.sha256 === record.shaBefore) return () => ({ file, outcome: 'untouched' })
  if (state.sha256 === record.shaAfter) return before === undefined ? remove(record, state) : putBack(record, before, state)
  const withdrawal = adapter.withdraw(file, state.bytes)
  if (withdrawal.state === 'clean') {
    const { removed, after } = withdrawal
    return () => {
      if (after === undefined && !record.existed) removeFile(state.target)
      else writeOver(state, after ?? EMPTY_OBJECT)
      return { file, outcome: 'cleaned', removed }
    }
  }
  if (!force) {
    const changes = differenceOf(record.existed ? store.kept(name, record.backup) : new Uint8Array(), state.bytes)
    throw new ConnectError(
      'file_edited',
      `${file} was changed since it was connected, and our parts cannot be told apart: ${withdrawal.why} It differs from the backup:\n${changes}\nTake our parts out yourself, or overwrite it with --force.`,
    )
  }
  const keptAt = `${state.target}.before-disconnect`
  return () => {
    replaceFile(keptAt, undefined, { bytes: state.bytes, mode: state.mode })
    if (before === undefined) removeFile(state.target)
    else putBack(record, before, state)()
    return { file, outcome: 'overwritten', keptAt }
  }
}

function remove({ file }: FileRecord, state: FileState): Step {
  return () => {
    removeFile(state.target)
    return { file, outcome: 'deleted' }
  }
}

/** Byte for byte, with bits and time. */
function putBack(record: FileRecord, before: Uint8Array | undefined, state?: FileState): Step {
  const bytes = before ?? new Uint8Array()
  return () => {
    const target = state?.target ?? record.target
    const owner = state === undefined ? {} : { uid: state.uid, gid: state.gid }
    replaceFile(target, state, { bytes, mode: record.mode, mtimeMs: record.mtimeMs, ...owner })
    if (readFileState(record.file)?.sha256 !== sha256Of(bytes))
      throw new ConnectError('file_changed', `${record.file} was changed by somebody else just now. Try again.`)
    return { file: record.file, outcome: 'restored' }
  }
}

function writeOver(state: FileState, bytes: Uint8Array): void {
  replaceFile(state.target, state, { bytes, mode: state.mode, uid: state.uid, gid: state.gid })
}
