import { join } from 'node:path'
import { openConnections } from '@tidegate/connect'
import type { Clock, Log } from '@tidegate/kernel'
import type { Configuration } from '@tidegate/project'
import { type Control, type HostDesk, type HostNotice, noticesOf, type ProvenState } from '@tidegate/runtime'

/** Looks after the hosts of a project: whether they still are what was proved, and whether they are still heard of. */
export interface HostWatch {
  /** What is to be noticed about a host now. */
  noticesOf(host: string): readonly HostNotice[]
  stop(): void
}

export interface HostWatchParts {
  readonly desk: Pick<HostDesk, 'hosts'>
  readonly configuration: Pick<Configuration, 'hosts'>
  readonly stateDirectory: string
  readonly control: Pick<Control, 'append'>
  readonly clock: Clock
  readonly log: Log
}

/** How often it is looked. */
const LOOK_MS = 5_000
/** A host with a plugin says every 30 s that it is there; this is what it may miss. */
const SILENT_AFTER_MS = 600_000

/**
 * Starts to look after the hosts. What is new is said in the log and recorded (`host.noticed`), once; also that it is over. A record that
 * cannot be written is tried again at the next look.
 */
export function watchHosts({ desk, configuration, stateDirectory, control, clock, log }: HostWatchParts): HostWatch {
  const store = openConnections(join(stateDirectory, 'connections'))
  const sinceMs = clock.nowMs()
  const known = new Map<string, string>()
  const patience = new Map(configuration.hosts.map(({ name, kind, silentAfter }) => [name, silentAfter ?? usual(kind)]))
  let looking = false

  function look(host: string): readonly HostNotice[] {
    const view = desk.hosts().find(({ name }) => name === host)
    if (view === undefined) return []
    const silentAfterMs = patience.get(host) ?? null
    return noticesOf(view, { proof: proofOf(host), nowMs: clock.nowMs(), sinceMs, silentAfterMs })
  }

  /** A proof that cannot be read proves nothing. */
  function proofOf(host: string): ProvenState | undefined {
    try {
      const proof = store.readProof(host)
      return proof === undefined ? undefined : { ...proof, isWhole: proof.surfaces.every(({ intercepted }) => intercepted) }
    } catch {
      return undefined
    }
  }

  async function lookAtAll(): Promise<void> {
    if (looking) return
    looking = true
    try {
      for (const { name } of desk.hosts()) await tell(name, look(name))
    } catch (error) {
      const message = `hosts could not be looked after: ${error instanceof Error ? error.message : 'unknown'}`
      log({ level: 'error', code: 'host_watch_failed', message })
    } finally {
      looking = false
    }
  }

  async function tell(host: string, notices: readonly HostNotice[]): Promise<void> {
    const said = notices.map(({ kind, detail }) => `${kind}: ${detail}`).join('; ')
    if ((known.get(host) ?? '') === said) return
    const kinds = notices.map(({ kind }) => kind)
    await control.append([{ type: 'host.noticed', host, kinds, detail: said }], { raisesEpoch: false })
    known.set(host, said)
    const message = said === '' ? `host ${host}: all is well again` : `host ${host} is ${said}`
    log({ level: said === '' ? 'info' : 'warning', code: 'host_noticed', message })
  }

  const timer = setInterval(() => void lookAtAll(), LOOK_MS)
  timer.unref()
  return { noticesOf: look, stop: () => clearInterval(timer) }
}

function usual(kind: Configuration['hosts'][number]['kind']): number | null {
  return kind === 'openclaw' ? SILENT_AFTER_MS : null
}
