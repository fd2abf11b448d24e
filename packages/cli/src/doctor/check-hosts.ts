import { join } from 'node:path'
import type { Client } from '@tidegate/client'
import { openConnections } from '@tidegate/connect'
import type { WireHostView } from '@tidegate/protocol'
import { stateDirectory } from '../project/find-project.ts'
import { lookAtHost, proofOf } from '../prove/prove-connection.ts'
import type { Shell } from '../shell.ts'
import { attemptAsync, type Check, ok, warning, wrong } from './check.ts'

/** Looks at the hosts that are connected here: does the proof still hold, is anything heard of them, does anything come without a ticket. */
export async function checkHosts(shell: Shell, project: string, client: Client | undefined): Promise<readonly Check[]> {
  const store = openConnections(join(stateDirectory(project), 'connections'))
  const records = await attemptAsync(async () => store.list())
  if (records instanceof Error)
    return [wrong('hosts', records.message, 'Put the files of .tidegate/connections back from a copy.')]
  const seen = client === undefined ? [] : await attemptAsync(() => client.hosts())
  const views = seen instanceof Error ? [] : seen
  const checks: Check[] = []
  for (const record of records) {
    const name = `host ${record.name}`
    const host = await attemptAsync(() => lookAtHost(shell, project, record))
    if (host instanceof Error) {
      checks.push(wrong(name, host.message, 'Mend its configuration, or disconnect it.'))
      continue
    }
    const proven = proofOf(store, host)
    const cure = `Prove again: tidegate doctor --prove ${record.name}`
    if (proven.state === 'proven') checks.push(ok(name, `${record.mode}, proved for ${host.detection.version ?? 'this version'}`))
    else if (record.mode === 'enforce') checks.push(wrong(name, `it enforces, and ${proven.why}`, cure))
    else checks.push(warning(name, `${record.mode}: ${proven.why}`, cure))
    const view = views.find((each) => each.name === record.name)
    if (client !== undefined) checks.push(...checkTraffic(record.name, view))
  }
  return checks
}

function checkTraffic(host: string, view: WireHostView | undefined): readonly Check[] {
  const name = `host ${host}`
  if (view === undefined)
    return [wrong(name, 'the server does not know it', 'Start the server again: it reads tidegate.yaml then.')]
  const { withoutTicket, notices, others } = view
  const last = others.filter((other) => other.endsWith('!'))
  return [
    ...notices
      .filter(({ kind }) => kind === 'silent')
      .map(({ detail }) =>
        wrong(name, detail, 'Does it run? Is our plugin or hook still in its configuration? See: tidegate connect ... --dry-run'),
      ),
    ...(withoutTicket === 0
      ? []
      : [
          warning(
            name,
            `${withoutTicket} calls came without the ticket that they need, and were refused`,
            `Is the plugin loaded? Somebody may be using the token of the host: tidegate runs list --workflow host-${host}`,
          ),
        ]),
    ...(last.length === 0
      ? []
      : [
          warning(
            name,
            `plugins that can change a call after it was decided: ${last.map((each) => each.slice(0, -1)).join(', ')}`,
            'Remove them, or move what they do behind Tidegate.',
          ),
        ]),
  ]
}
