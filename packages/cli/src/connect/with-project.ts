import { join } from 'node:path'
import { type Edit, type HostAdapter, readFileState } from '@tidegate/connect'
import { PROJECT_FILE } from '../project/find-project.ts'
import { hasHost, withHost, withoutHost } from './host-entry.ts'

/** An adapter that besides lists its host in the tidegate.yaml of a project: both are changed, or none, and both are put back. */
export function withProject(adapter: HostAdapter, project: string, name: string): HostAdapter {
  const file = join(project, PROJECT_FILE)
  return {
    ...adapter,
    plan: async (request, detection) => {
      const { edits, notes } = await adapter.plan(request, detection)
      const before = readFileState(file)?.bytes ?? new Uint8Array()
      const after = new TextEncoder().encode(withHost(textOf(before), { name, kind: adapter.kind, mode: request.mode }))
      const own: Edit = { file, before, after, why: `lists the host ${name} (${request.mode})` }
      return { edits: [own, ...edits], notes }
    },
    withdraw: (path, current) => {
      if (path !== file) return adapter.withdraw(path, current)
      const text = textOf(current)
      if (!hasHost(text, name)) return { state: 'clean', after: current, removed: [] }
      const after = withoutHost(text, name)
      return after === undefined
        ? { state: 'unclear', why: `the host ${name} is not written as we wrote it.` }
        : { state: 'clean', after: new TextEncoder().encode(after), removed: [`the host ${name} from ${PROJECT_FILE}`] }
    },
  }
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}
