import { join } from 'node:path'
import type { WireHostView } from '@tidegate/protocol'
import { openConnections } from '@tidegate/connect'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { findAnsweringServer } from '../project/answering-server.ts'
import { findProject, stateDirectory } from '../project/find-project.ts'
import { withClient } from '../session.ts'
import type { Shell } from '../shell.ts'
import { renderTable } from '../terminal/table.ts'
import { renderWhen } from '../terminal/time.ts'

/** Lists the agents that are not ours: what was connected on this machine, and what the server knows of them since it started. */
export async function hosts(shell: Shell): Promise<ExitCode> {
  const project = findProject(shell)
  const records = openConnections(join(stateDirectory(project), 'connections')).list()
  const running = shell.options.server !== undefined || (await findAnsweringServer(project)) !== undefined
  const seen: readonly WireHostView[] = running ? await withClient(shell, 'look', (client) => client.hosts()) : []
  const names = [...new Set([...records.map(({ name }) => name), ...seen.map(({ name }) => name)])].toSorted()
  const list = names.map((name) => {
    const record = records.find((each) => each.name === name)
    const view = seen.find((each) => each.name === name)
    return {
      name,
      kind: view?.kind ?? record?.kind ?? 'mcp',
      mode: view?.mode ?? record?.mode ?? 'observe',
      connected: record?.state ?? null,
      files: record?.files.map(({ file }) => file) ?? [],
      unproven: record?.unproven ?? false,
      hostVersion: view?.hostVersion ?? (record?.hostVersion || null),
      lastSeenMs: view?.lastSeenMs ?? null,
      calls: view?.calls ?? null,
      denied: view?.denied ?? null,
      wouldHave: view?.wouldHave ?? null,
      withoutTicket: view?.withoutTicket ?? null,
      notices: view?.notices ?? [],
    }
  })
  shell.result({ running, hosts: list }, (view) => render(shell, view.hosts, view.running))
  return EXIT.ok
}

interface Row {
  readonly name: string
  readonly kind: string
  readonly mode: string
  readonly connected: string | null
  readonly hostVersion: string | null
  readonly lastSeenMs: number | null
  readonly calls: number | null
  readonly denied: number | null
  readonly wouldHave: number | null
  readonly unproven: boolean
  readonly notices: WireHostView['notices']
}

const CURES: Readonly<Record<WireHostView['notices'][number]['kind'], (name: string) => string>> = {
  unproven: (name) => `Prove again: tidegate doctor --prove ${name}`,
  silent: () => 'See: tidegate doctor',
}

function render({ columns }: Shell, list: readonly Row[], running: boolean): string {
  if (list.length === 0) return 'No host is connected. Connect one: tidegate connect claude-code'
  const nowMs = Date.now()
  const rows = list.map((each) => [
    each.name,
    each.kind,
    each.unproven ? `${each.mode} (unproven)` : each.mode,
    each.hostVersion ?? '-',
    String(each.calls ?? '-'),
    String((each.mode === 'observe' ? each.wouldHave : each.denied) ?? '-'),
    each.lastSeenMs === null ? (running ? 'never' : 'the server does not run') : renderWhen(each.lastSeenMs, nowMs),
  ])
  const notices = list.flatMap(({ name, notices: each }) =>
    each.map(({ kind, detail }) => `${name} is ${kind}: ${detail}. ${CURES[kind](name)}`),
  )
  const table = renderTable(['host', 'kind', 'mode', 'version', 'calls', 'stopped', 'last seen'], rows, columns)
  return [table, ...(notices.length === 0 ? [] : ['', ...notices])].join('\n')
}
