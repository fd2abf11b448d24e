import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { SandboxLayer, SandboxLeak, SandboxOpening, SandboxSession, SandboxSpec } from '@tidegate/kernel'
import { sandboxEnvironment } from '../arguments.ts'
import type { Host } from '../host.ts'
import { DEFAULT_SANDBOX_LIMITS } from '../limits.ts'
import { callAttempts, callProgram, type Canaries, shellProgram } from './attempts.ts'
import { startedLayer } from './layers.ts'

export interface LeakProbe {
  readonly host: Host
  /** Opens a session without asking whether the sandbox is sound: that is being found out. */
  readonly open: (spec: SandboxSpec) => Promise<SandboxOpening>
  readonly directory: string
  /** Whom the workspace of the probe is given to when we are root. */
  readonly user: { readonly uid: number; readonly gid: number }
}

export interface LeakFindings {
  readonly layers: readonly SandboxLayer[]
  readonly leaks: readonly SandboxLeak[]
}

const PROBE_MS = 30_000
/** Every attempt of the shell says something; fewer lines than this, and the probe itself did not work. */
const FEWEST_LINES = 35

/**
 * Tries to get out of a sandbox of our own, from inside, by everything that must not work. Canaries on the loopback say whether something
 * arrived. A probe that breaks off counts as a leak: what was not tried is not known to hold.
 */
export async function probeLeaks(probe: LeakProbe): Promise<LeakFindings> {
  const workspace = mkdtempSync(join(probe.directory, 'probe-'))
  const secret = mkdtempSync(join(probe.directory, 'secret-'))
  try {
    if (probe.host.uid === 0) chownSync(workspace, probe.user.uid, probe.user.gid)
    // Nothing but the sandbox keeps it from being read.
    chmodSync(secret, 0o755)
    writeFileSync(join(secret, 'canary'), 'canary')
    chmodSync(join(secret, 'canary'), 0o644)
    const limits = { ...DEFAULT_SANDBOX_LIMITS, wallMs: PROBE_MS }
    const opening = await probe.open({ id: 'probe', workspace, readOnly: [], environment: {}, limits, egress: null })
    if (opening.kind === 'refused') return { layers: [startedLayer(opening.message)], leaks: [] }
    try {
      return { layers: [startedLayer(null)], leaks: await withCanaries(probe, opening.session, join(secret, 'canary')) }
    } finally {
      await opening.session.close()
    }
  } finally {
    rmSync(workspace, { recursive: true, force: true })
    rmSync(secret, { recursive: true, force: true })
  }
}

/** Listens where nothing may arrive, makes all attempts, and adds what arrived. */
async function withCanaries(probe: LeakProbe, session: SandboxSession, secretFile: string): Promise<readonly SandboxLeak[]> {
  let arrived = 0
  const tcp = createServer((socket) => {
    arrived += 1
    socket.destroy()
  })
  const udp = createSocket('udp4', () => {
    arrived += 1
  })
  try {
    tcp.listen(0, '127.0.0.1')
    udp.bind(0, '127.0.0.1')
    await Promise.all([once(tcp, 'listening'), once(udp, 'listening')])
    const address = tcp.address()
    const tcpPort = typeof address === 'object' && address !== null ? address.port : 0
    const environment = Object.keys(sandboxEnvironment({}, false))
    const canaries = { tcpPort, udpPort: udp.address().port, secretFile, pid: process.pid, environment }
    const leaks = [...(await tryShell(session, canaries)), ...(await tryCalls(session, probe.host))]
    return [...leaks, { name: 'packets to the host', state: arrived === 0 ? 'held' : 'leaked', detail: `${arrived} arrived` }]
  } finally {
    tcp.close()
    udp.close()
  }
}

async function tryShell(session: SandboxSession, canaries: Canaries): Promise<readonly SandboxLeak[]> {
  const lines = await attempt(session, shellProgram(canaries))
  if (lines.length >= FEWEST_LINES) return lines
  return [...lines, { name: 'probe', state: 'leaked', detail: `it broke off after ${lines.length} attempts` }]
}

async function tryCalls(session: SandboxSession, { perl, machine }: Host): Promise<readonly SandboxLeak[]> {
  const attempts = machine === null ? [] : callAttempts(machine)
  if (perl === null) return attempts.map(({ name }) => ({ name, state: 'unknown', detail: 'not tried: perl is not installed' }))
  const lines = await attempt(session, ['perl', '-e', callProgram(attempts)])
  const tried = new Set(lines.map(({ name }) => name))
  const untried = attempts.filter(({ name }) => !tried.has(name))
  return [...lines, ...untried.map(({ name }): SandboxLeak => ({ name, state: 'leaked', detail: 'the probe broke off before' }))]
}

async function attempt(session: SandboxSession, command: string | readonly string[]): Promise<readonly SandboxLeak[]> {
  const result = await session.run({ command })
  if (result.kind === 'refused') return []
  return Buffer.from(result.stdout)
    .toString('utf8')
    .split('\n')
    .flatMap((line): readonly SandboxLeak[] => {
      const [name, state, detail] = line.split('\t')
      if (name === undefined || detail === undefined || (state !== 'held' && state !== 'leaked')) return []
      return [{ name, state, detail }]
    })
}
