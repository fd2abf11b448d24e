import type { Edit, Finding } from './adapter.ts'
import { ConnectError } from './error.ts'
import { type FileState, readFileState, sha256Of } from './file-state.ts'
import { type ConnectionPlan, isSame, refuseIfOther } from './plan-connection.ts'
import type { ConnectionRecord, FileRecord } from './record.ts'
import { makeFolders, removeFile, replaceFile } from './replace-file.ts'
import type { ConnectionStore } from './store.ts'
import { rmdirSync } from 'node:fs'

/** What became of a plan. */
export interface Connected {
  readonly record: ConnectionRecord
  /** False when everything was as planned already. */
  readonly changed: boolean
  readonly findings: readonly Finding[]
}

/**
 * Makes a planned change, looks whether it took, and puts everything back if it did not.
 *
 * 1. Under the lock of the connection, each file must still be what was planned from.
 * 2. The bytes before and the record are durable before the first file changes. If we crash later, `disconnect` knows from the hashes
 *    which files are as before and which as after.
 * 3. What is kept as "before" is what the host was without us: connecting a second time keeps the first backup, and when somebody has
 *    edited the file meanwhile, their version without our parts.
 * 4. After a failed check or write every file that was replaced gets its bytes, bits and time back.
 *
 * @throws ConnectError; `rollback_failed` alone leaves files changed, and names them.
 */
export async function applyConnection(
  plan: ConnectionPlan,
  store: ConnectionStore,
  options: { readonly nowMs: number; readonly unproven?: boolean },
): Promise<Connected> {
  return store.locked(plan.request.name, async () => {
    const earlier = store.read(plan.request.name)
    refuseOtherConnection(plan, earlier)
    const states = plan.edits.map((edit) => {
      refuseIfOther(edit)
      return readFileState(edit.file)
    })
    const record = recordOf(plan, states, earlier, store, options)
    store.write({ ...record, state: 'applying' })
    const written: Written[] = []
    try {
      const made = write(plan.edits, states, written)
      const findings = await plan.adapter.check(plan.request, plan.detection)
      const wrong = findings.find(({ state }) => state === 'wrong')
      if (wrong !== undefined)
        throw new ConnectError('check_failed', `${wrong.name}: ${wrong.detail} Everything was put back. ${wrong.cure}`.trim())
      const connected = { ...record, directories: [...record.directories, ...made], state: 'connected' as const }
      store.write(connected)
      return { record: connected, changed: plan.changes || earlier?.mode !== record.mode, findings }
    } catch (error) {
      rollBack(written)
      if (earlier === undefined) store.forget(record.name)
      else store.write(earlier)
      throw error
    }
  })
}

/** A file that was replaced, and the folders that were made for it. */
interface Written {
  readonly edit: Edit
  readonly target: string
  readonly state: FileState | undefined
  readonly folders: readonly string[]
}

function write(edits: readonly Edit[], states: readonly (FileState | undefined)[], written: Written[]): readonly string[] {
  const made: string[] = []
  for (const [i, edit] of edits.entries()) {
    if (isSame(edit.before, edit.after)) continue
    const state = states[i]
    const target = state?.target ?? edit.file
    const folders = state === undefined ? makeFolders(edit.file) : []
    made.push(...folders)
    refuseIfOther(edit)
    written.push({ edit, target, state, folders })
    replaceFile(target, state, { bytes: edit.after, ...(state === undefined ? { mode: edit.mode ?? 0o600 } : keptOf(state)) })
  }
  return made
}

function keptOf({ mode, uid, gid }: FileState): Pick<FileState, 'mode' | 'uid' | 'gid'> {
  return { mode, uid, gid }
}

/** Puts back what was written, the last first. What somebody has changed in between stays as they made it. */
function rollBack(written: readonly Written[]): void {
  const failed: string[] = []
  for (const { edit, target, state, folders } of written.toReversed()) {
    try {
      if (isSame(readFileState(edit.file)?.bytes, edit.after)) {
        if (state === undefined) removeFile(target)
        else replaceFile(target, undefined, { bytes: state.bytes, mtimeMs: state.mtimeMs, ...keptOf(state) })
      }
      removeFolders(folders)
    } catch {
      failed.push(edit.file)
    }
  }
  if (failed.length > 0)
    throw new ConnectError(
      'rollback_failed',
      `These files could not be put back: ${failed.join(', ')}. Their backups are kept; try \`tidegate disconnect\`.`,
    )
}

/** Removes folders that we made, innermost first, as far as they are empty. */
export function removeFolders(folders: readonly string[]): void {
  for (const folder of folders.toReversed()) {
    try {
      rmdirSync(folder)
    } catch {
      return // Somebody else has put something there: it is theirs now.
    }
  }
}

function refuseOtherConnection({ request, adapter, edits }: ConnectionPlan, earlier: ConnectionRecord | undefined): void {
  if (earlier === undefined) return
  const again = `Undo it first: tidegate disconnect ${earlier.name}`
  if (earlier.kind !== adapter.kind)
    throw new ConnectError(
      'connected_otherwise',
      `${request.name} is connected as ${earlier.kind}. ${again}, or choose another --name.`,
    )
  const planned = new Set(edits.map(({ file }) => file))
  const left = earlier.files.find(({ file }) => !planned.has(file))
  if (left !== undefined)
    throw new ConnectError('connected_otherwise', `${request.name} is connected by way of ${left.file}. ${again}`)
}

function recordOf(
  plan: ConnectionPlan,
  states: readonly (FileState | undefined)[],
  earlier: ConnectionRecord | undefined,
  store: ConnectionStore,
  options: { readonly nowMs: number; readonly unproven?: boolean },
): ConnectionRecord {
  const { request, adapter, detection, edits } = plan
  return {
    v: 1,
    state: 'connected',
    name: request.name,
    kind: adapter.kind,
    mode: request.mode,
    permit: request.permit,
    hostVersion: detection.version ?? '',
    connectedAtMs: options.nowMs,
    unproven: options.unproven ?? false,
    directories: earlier?.directories ?? [],
    files: edits.map((edit, i) => fileRecordOf(edit, states[i], plan, earlier, store)),
  }
}

function fileRecordOf(
  edit: Edit,
  state: FileState | undefined,
  { request, adapter }: ConnectionPlan,
  earlier: ConnectionRecord | undefined,
  store: ConnectionStore,
): FileRecord {
  const shaAfter = sha256Of(edit.after)
  const known = earlier?.files.find(({ file }) => file === edit.file)
  const untouched =
    known !== undefined &&
    (state === undefined ? !known.existed : state.sha256 === known.shaAfter || state.sha256 === known.shaBefore)
  if (known !== undefined && untouched) return { ...known, shaAfter, why: edit.why }
  const before = state === undefined ? undefined : withoutUs(adapter, edit.file, state.bytes)
  const backup = before === undefined ? '' : store.keep(request.name, before)
  return {
    file: edit.file,
    target: state?.target ?? edit.file,
    existed: before !== undefined,
    shaBefore: backup,
    shaAfter,
    mode: state?.mode ?? edit.mode ?? 0o600,
    uid: state?.uid ?? 0,
    gid: state?.gid ?? 0,
    mtimeMs: state?.mtimeMs ?? 0,
    backup,
    why: edit.why,
  }
}

/** What a file was without us: mostly itself; our parts are in it when the record of an earlier connection was lost, or it was edited. */
function withoutUs(adapter: ConnectionPlan['adapter'], file: string, bytes: Uint8Array): Uint8Array | undefined {
  const withdrawal = adapter.withdraw(file, bytes)
  if (withdrawal.state === 'unclear')
    throw new ConnectError(
      'configuration_unsupported',
      `${file} has parts of an earlier connection that cannot be told apart: ${withdrawal.why}`,
    )
  return withdrawal.removed.length === 0 ? bytes : withdrawal.after
}
