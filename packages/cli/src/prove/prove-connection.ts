import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '@tidegate/client'
import {
  type ConnectionRecord,
  ConnectError,
  type ConnectionStore,
  type ConnectRequest,
  type Detection,
  detectionDigest,
  type HostAdapter,
  isClosed,
  judgeProof,
  proofFileOf,
  type Proven,
  proveHost,
  type SurfaceProof,
} from '@tidegate/connect'
import type { WireHostView } from '@tidegate/protocol'
import { KNOWN_HOSTS } from '../connect/adapters.ts'
import { environmentOf, OWN_COMMAND } from '../connect/environment.ts'
import { stateDirectory } from '../project/find-project.ts'
import { readHostToken } from '../project/find-token.ts'
import type { Shell } from '../shell.ts'
import { openConversation } from './mcp-speaker.ts'
import { type FaceProof, isShut, proveFaces } from './own-faces.ts'
import { ownToolsOf } from './own-tools.ts'

/** A host as it is connected on this machine, and as it is now. */
export interface ConnectedHost {
  readonly record: ConnectionRecord
  readonly adapter: HostAdapter
  readonly detection: Detection
  readonly connection: ConnectRequest
}

/** What a proof of one host found out. */
export interface HostProof {
  readonly name: string
  readonly kind: string
  readonly mode: string
  readonly hostVersion: string
  readonly configDigest: string
  readonly surfaces: readonly SurfaceProof[]
  readonly faces: readonly FaceProof[]
  /** True when every way of acting comes through, and none of our doors is open. */
  readonly proven: boolean
}

/** The canaries of a proof are looked for from this long before it began: the clock of the server may be another. */
const BEFORE_MS = 60_000

/** Looks at a connected host as it is now: its program, its version, its files. Starts nothing but `--version`. */
export async function lookAtHost(shell: Shell, project: string, record: ConnectionRecord, url?: string): Promise<ConnectedHost> {
  const adapter = await KNOWN_HOSTS[record.kind].load()
  const environment = environmentOf(shell)
  const usual = await adapter.detect(environment)
  const config = otherConfiguration(project, record, usual)
  const detection = config === undefined ? usual : await adapter.detect(environment, config)
  const connection: ConnectRequest = {
    ...{ name: record.name, mode: record.mode, project, permit: record.permit, command: OWN_COMMAND, environment },
    tokenFile: join(stateDirectory(project), 'tokens', `host-${record.name}.token`),
    ...(url === undefined ? {} : { url }),
    ...(config === undefined ? {} : { config }),
  }
  return { record, adapter, detection, connection }
}

/** The file that was connected, when it is not where such files usually are. */
function otherConfiguration(project: string, { files }: ConnectionRecord, usual: Detection): string | undefined {
  const own = join(project, 'tidegate.yaml')
  const hosts = files.filter(({ file }) => file !== own)
  const known = new Set(usual.files.map(({ file }) => file))
  return hosts.some(({ file }) => known.has(file)) ? undefined : hosts[0]?.file
}

/** Whether the proof that is kept still fits. */
export function proofOf(store: ConnectionStore, { record, detection }: ConnectedHost): Proven {
  return judgeProof(store.readProof(record.name), detection)
}

/** Proves one host, and keeps what was found. */
export async function proveConnection(
  shell: Shell,
  { client, url, store, seen }: ProveGround,
  host: ConnectedHost,
): Promise<HostProof> {
  const { record, adapter, detection, connection } = host
  const view = seen.find(({ name }) => name === record.name)
  if (view === undefined)
    throw new ConnectError('not_connected', `The server does not know the host "${record.name}" yet. Start it again: tidegate up`)
  const sinceMs = Date.now() - BEFORE_MS
  const sightings = (nonce: string) => client.canaries(record.name, { nonce, sinceMs })
  const token = readHostToken(realpathSync(connection.project), record.name)
  const mcp = await openConversation({ url, token, era: '2025-11-25', signal: shell.signal })
  const tools = ownToolsOf(await mcp.list())
  const digest = detectionDigest(detection)
  const ports = { sightings, tools, note: (text: string) => shell.note(text), signal: shell.signal }
  const surfaces = await proveHost(adapter, { ...connection, mode: view.mode }, detection, ports)
  const { name, kind, mode, tickets } = view
  const faces = await proveFaces({ url, token, tools, sightings, signal: shell.signal, host: { name, kind, mode, tickets } })
  if (detectionDigest(detection) !== digest)
    throw new ConnectError('file_changed', 'The configuration of the host was changed while it was proved. Try again.')
  store.writeProof(name, proofFileOf(connection, adapter, detection, { surfaces, atMs: Date.now(), configDigest: digest }))
  return {
    ...{ name, kind, mode, surfaces, faces, configDigest: digest, hostVersion: detection.version ?? '' },
    proven: surfaces.every(isClosed) && faces.every(isShut),
  }
}

/** What proofs are made with. */
export interface ProveGround {
  readonly client: Client
  readonly url: string
  readonly store: ConnectionStore
  /** The hosts as the server knows them. */
  readonly seen: readonly WireHostView[]
}
