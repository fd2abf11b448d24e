import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from '@tidegate/client'
import { ConnectError, openConnections } from '@tidegate/connect'
import { CliError } from '../error.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { findProject, stateDirectory } from '../project/find-project.ts'
import { findServer } from '../project/running-server.ts'
import { type FaceProof, isShut, newWord } from '../prove/own-faces.ts'
import { provePeopleFaces } from '../prove/people-faces.ts'
import { type HostProof, lookAtHost, proofOf, type ProveGround, proveConnection } from '../prove/prove-connection.ts'
import { withClient } from '../session.ts'
import type { Shell } from '../shell.ts'
import type { Tone } from '../terminal/style.ts'
import { renderTable } from '../terminal/table.ts'

/** The flags of `doctor --prove`. */
export interface ProveFlags {
  readonly watch?: boolean
  readonly every?: string
}

interface Proof {
  readonly hosts: readonly HostProof[]
  /** Our own ways in that belong to no host. */
  readonly faces: readonly FaceProof[]
  readonly proven: boolean
}

const DEFAULT_EVERY_S = 60

/**
 * Fires canaries through every way in which the connected hosts can act, and at our own doors, and says which came through. Exit code 1
 * when one did not, or when nothing can be said of it.
 */
export async function prove(shell: Shell, name: string | undefined, flags: ProveFlags): Promise<ExitCode> {
  if (flags.watch === true) return watch(shell, name, flags)
  const proof = await withClient(shell, 'look', (client) => proveAll(shell, client, name, () => true))
  return tell(shell, proof)
}

/** Proves again whenever the version or the configuration of a host is another than was proved, until it is interrupted. */
async function watch(shell: Shell, name: string | undefined, { every = String(DEFAULT_EVERY_S) }: ProveFlags): Promise<ExitCode> {
  if (!/^\d{1,5}$/.test(every) || Number(every) < 1) throw new CliError('usage_invalid', 'Say --every with seconds, from 1.')
  let last: ExitCode = EXIT.ok
  while (!shell.signal.aborted) {
    const proof = await withClient(shell, 'look', (client) =>
      proveAll(shell, client, name, (isProven, host) => {
        if (!isProven) shell.note(`${host}: prove again`)
        return !isProven
      }),
    )
    if (proof.hosts.length > 0) last = tell(shell, proof)
    await pause(Number(every) * 1_000, undefined, { signal: shell.signal }).catch(() => undefined)
  }
  return last
}

async function proveAll(
  shell: Shell,
  client: Client,
  name: string | undefined,
  wanted: (isProven: boolean, host: string) => boolean,
): Promise<Proof> {
  const project = findProject(shell)
  const store = openConnections(join(stateDirectory(project), 'connections'))
  const records = name === undefined ? store.list() : [store.read(name)].filter((record) => record !== undefined)
  if (name !== undefined && records.length === 0)
    throw new ConnectError('not_connected', `No host "${name}" is connected here. See: tidegate hosts`)
  const url = shell.options.server ?? findServer(project)?.url ?? ''
  const ground: ProveGround = { client, url, store, seen: records.length === 0 ? [] : await client.hosts() }
  const hosts: HostProof[] = []
  for (const record of records) {
    const host = await lookAtHost(shell, project, record, url)
    if (wanted(proofOf(store, host).state === 'proven', record.name)) hosts.push(await proveConnection(shell, ground, host))
  }
  const faces = hosts.length === 0 && records.length > 0 ? [] : await provePeopleFaces(shell, { client, url, word: newWord })
  return { hosts, faces, proven: hosts.every(({ proven }) => proven) && faces.every(isShut) }
}

function tell(shell: Shell, proof: Proof): ExitCode {
  shell.result(proof, (view) => render(shell, view))
  return proof.proven ? EXIT.ok : EXIT.failed
}

const WORDS: Readonly<Record<FaceProof['state'], readonly [Tone, string]>> = {
  intercepted: ['good', 'intercepted'],
  refused: ['good', 'refused'],
  absent: ['good', 'not there'],
  open: ['bad', 'NOT intercepted'],
  unfired: ['warn', 'could not be fired'],
}

function render({ style, columns }: Shell, { hosts, faces, proven }: Proof): string {
  const table = (rows: readonly FaceProof[]): string =>
    renderTable(
      ['way', 'canary', 'why'],
      rows.map(({ name, state, detail }) => [name, WORDS[state][1], detail]),
      columns,
    )
  const sections = hosts.flatMap((host) => [
    style('strong', `${host.name} (${host.kind} ${host.hostVersion || 'of unknown version'}, ${host.mode})`),
    table([...host.surfaces, ...host.faces.map((face) => ({ ...face, name: `our ${face.name}` }))]),
    '',
  ])
  const ours = faces.length === 0 ? [] : [style('strong', 'Our own doors'), table(faces), '']
  const open = [...hosts.flatMap((host) => [...host.surfaces, ...host.faces]), ...faces].filter(({ state }) => state === 'open')
  const end = proven
    ? style('good', 'Everything comes through Tidegate. The proof holds for these versions and configurations.')
    : open.length > 0
      ? style('bad', `${open.length} ${open.length === 1 ? 'way goes' : 'ways go'} around Tidegate.`)
      : style('warn', 'Not proved: of some ways nothing can be said.')
  return [...sections, ...ours, end].join('\n')
}
