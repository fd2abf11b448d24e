import type { ConnectRequest, Detection, Edit, HostAdapter } from './adapter.ts'
import { ConnectError } from './error.ts'
import { readFileState } from './file-state.ts'

/** A change that was planned and not yet made. */
export interface ConnectionPlan {
  readonly adapter: HostAdapter
  readonly request: ConnectRequest
  readonly detection: Detection
  readonly edits: readonly Edit[]
  readonly notes: readonly string[]
  /** Whether any file would become another. */
  readonly changes: boolean
}

/**
 * Plans to connect a host. Reads, and writes nothing.
 *
 * @throws ConnectError when a configuration cannot be read, is not what the host expects, or the plan itself contradicts the files.
 */
export async function planConnection(adapter: HostAdapter, request: ConnectRequest): Promise<ConnectionPlan> {
  const detection = await adapter.detect(request.environment, request.config)
  const { edits, notes } = await adapter.plan(request, detection)
  const files = new Set(edits.map(({ file }) => file))
  if (files.size !== edits.length)
    throw new ConnectError('configuration_unsupported', 'The same file was planned to change twice.')
  for (const edit of edits) refuseIfOther(edit)
  return { adapter, request, detection, edits, notes, changes: edits.some(({ before, after }) => !isSame(before, after)) }
}

/**
 * Makes sure that a file still is what it was when the change was planned.
 *
 * @throws ConnectError `file_changed`.
 */
export function refuseIfOther({ file, before }: Edit): void {
  if (!isSame(readFileState(file)?.bytes, before))
    throw new ConnectError('file_changed', `${file} was changed by somebody else just now. Nothing was overwritten; try again.`)
}

/** Whether two contents are the same; a missing file is only like a missing one. */
export function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return Buffer.compare(a, b) === 0
}
