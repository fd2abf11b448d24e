import { spawnSync } from 'node:child_process'
import { existsSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from '../child.ts'
import type { Load } from '../load.ts'
import type { Skipped } from '../report-line.ts'

/** An engine that others use for durable agents, measured beside us by a child process of its own. */
export interface Peer {
  readonly name: string
  /** What `--only` calls it; two rows may share it. */
  readonly family: PeerFamily
  /** The child program in bench/peers. */
  readonly program: string
  /** Packages that must be installed in bench/peers. */
  readonly packages: readonly string[]
  /** `sealed`: runs only in a network and mount namespace without a route, because it calls a public host at every start. */
  readonly network: 'host' | 'sealed'
}

export type PeerFamily = 'langgraph' | 'dbos' | 'restate'

export const PEERS: readonly Peer[] = [
  langgraph('langgraph'),
  langgraph('langgraph-normal'),
  { name: 'dbos', family: 'dbos', program: 'dbos.ts', packages: ['@dbos-inc/dbos-sdk', 'pg'], network: 'host' },
  {
    name: 'restate',
    family: 'restate',
    program: 'restate.ts',
    packages: ['@restatedev/restate-sdk', `@restatedev/restate-server-${process.platform}-${process.arch}`],
    network: 'sealed',
  },
]

/** How to install the peers. Without install scripts: one of them reports home, and none of them is needed. */
export const INSTALL_PEERS = 'npm --prefix bench/peers ci --ignore-scripts'

/** The folder that holds the peers. */
export const PEERS_ROOT = fileURLToPath(new URL('../../peers/', import.meta.url))

const SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Where a peer runs from, and where it may write. */
export interface Place {
  /** The folder of bench/peers. */
  readonly root: string
  /** An empty folder for databases and sockets that every user may enter. */
  readonly scratch: string
}

/** The command that measures a peer, or why it cannot be measured on this machine. */
export function preparePeer(peer: Peer, load: Load, place: Place): Command | Skipped {
  const absent = peer.packages.filter((name) => !existsSync(join(place.root, 'node_modules', name, 'package.json')))
  if (absent.length > 0) return { name: peer.name, skipped: `not installed (${absent.join(', ')}): ${INSTALL_PEERS}` }
  const environment = peerEnvironment(place.scratch)
  const script = join(place.root, 'src', peer.program)
  if (peer.network === 'host') {
    return { name: peer.name, program: process.execPath, args: [script, peer.name, ...loadOptions(load)], environment }
  }
  const namespace = namespaceOptions()
  if (spawnSync('unshare', [...namespace, 'true'], { env: environment }).status !== 0) {
    return {
      name: peer.name,
      skipped: 'runs only in a network namespace of its own, and `unshare --net --mount` is refused here',
    }
  }
  // The child compares these with its own before it starts anything.
  const outside = [readlinkSync('/proc/self/ns/net'), readlinkSync('/proc/self/ns/mnt')]
  const args = [...namespace, process.execPath, script, peer.name, ...outside, ...loadOptions(load)]
  return { name: peer.name, program: 'unshare', args, environment }
}

/** All that a peer sees of an environment: no credential and no tracing switch reaches it. */
export function peerEnvironment(scratch: string): Readonly<Record<string, string>> {
  return { PATH: SEARCH_PATH, HOME: scratch, TMPDIR: scratch }
}

/** The options every contender but ours takes. */
export function loadOptions(load: Load): string[] {
  return ['--actions', String(load.actions), '--in-flight', String(load.inFlight), '--seconds', String(load.seconds)]
}

function namespaceOptions(): string[] {
  const own = process.geteuid?.() === 0 ? [] : ['--user', '--map-root-user']
  return [...own, '--net', '--mount', '--']
}

/** Measured twice: with commits that wait for the disk, and as it behaves after a restart, when they do not. */
function langgraph(name: 'langgraph' | 'langgraph-normal'): Peer {
  const packages = ['@langchain/langgraph', '@langchain/langgraph-checkpoint-sqlite', '@langchain/core', 'better-sqlite3']
  return { name, family: 'langgraph', program: 'langgraph.ts', packages, network: 'host' }
}
