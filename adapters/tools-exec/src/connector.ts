import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Connector,
  type ConnectorCall,
  type ConnectorResult,
  type EgressGate,
  isObject,
  type Json,
  type Operation,
  type Reconciliation,
  type Sandbox,
  type SandboxLimits,
  type SandboxResult,
  type SandboxSession,
} from '@tidegate/kernel'
import { shellOperations } from './shell-operations.ts'
import { createSnapshots, DEFAULT_SNAPSHOT_LIMITS, SnapshotError, type Snapshots } from './snapshot.ts'
import type { SnapshotLimits } from './snapshot-store.ts'

/** What a shell is made of. */
export interface ShellOptions {
  /** `shell` unless told. */
  readonly tool?: string
  /** Absolute; the only thing that commands can change. */
  readonly workspace: string
  /** A private directory of ours, for the states of the workspace. */
  readonly directory: string
  readonly sandbox: Sandbox
  readonly limits: SandboxLimits
  readonly snapshots?: Partial<SnapshotLimits>
  readonly contents?: 'trusted' | 'third-party'
  /** `host:port` that commands which reach further may speak to. Nobody unless told. */
  readonly egress?: readonly string[]
  /** Variables that commands find; never a secret. */
  readonly environment?: Readonly<Record<string, string>>
  /** How long a command waits for those before it; 10 s unless told. */
  readonly turnMs?: number
}

/** A tool for commands, with what has to be closed at the end. */
export interface Shell {
  readonly name: string
  readonly operations: readonly Operation[]
  readonly connector: Connector
  close(): Promise<void>
}

/** Warm sandboxes that are kept; the one that was used longest ago goes first. */
const MAX_SESSIONS = 16
const MAX_NAMED_CHANGES = 50
/** How long a command waits for its turn. Operations allow this, and the time to look at the workspace, beyond that of the command. */
const TURN_MS = 10_000
const BUSY = 'another command has kept the workspace busy for too long; this one was not run'

/**
 * Runs commands in a sandbox, one warm one for each conversation and reach.
 *
 * 1. A command that may change something runs between two states of the workspace: what it did is known afterwards, whatever became of it,
 * and can be put back. 2. Commands of one workspace that may change it run one after the other. 3. Only commands that were decided on as
 * reaching further get a way out, and only to hosts that are listed.
 */
export function createShell(options: ShellOptions): Shell {
  const { tool = 'shell', workspace, directory, limits, contents = 'trusted' } = options
  const operations = shellOperations({ tool, workspace, contents, timeoutMs: limits.wallMs })
  const begun = join(directory, 'begun')
  const snapshots = createSnapshots({ workspace, directory, limits: { ...DEFAULT_SNAPSHOT_LIMITS, ...options.snapshots } })
  const rooms = createRooms(options)
  let last: Promise<unknown> = Promise.resolve()

  /** Point 2. */
  function inTurn<T>(action: () => Promise<T>): Promise<T> {
    const next = last.then(action, action)
    last = next.catch(() => undefined)
    return next
  }

  async function execute(call: ConnectorCall): Promise<ConnectorResult> {
    if (call.operation === `${tool}.restore`) return inTurn(() => restore(snapshots, call.arguments))
    if (call.operation === `${tool}.look`) return look(call)
    const untilMs = performance.now() + (options.turnMs ?? TURN_MS)
    // Whoever waited longer is not waited for much longer either: a command must not begin after its caller has given it up (I4).
    return inTurn(async () => (performance.now() > untilMs ? unavailable(BUSY) : change(call)))
  }

  async function look(call: ConnectorCall): Promise<ConnectorResult> {
    const connections: string[] = []
    const result = await runIn(rooms, call, 'look', connections)
    return result.kind === 'refused' ? unavailable(result.message) : done(result, NO_CHANGE, connections)
  }

  async function change(call: ConnectorCall): Promise<ConnectorResult> {
    const note = join(begun, call.effectId)
    let before: string
    try {
      before = await snapshots.take()
      mkdirSync(begun, { recursive: true, mode: 0o700 })
      writeFileSync(note, before, { mode: 0o600 })
    } catch (error) {
      return unavailable(error instanceof Error ? error.message : 'the state of the workspace cannot be kept')
    }
    const connections: string[] = []
    const kind = call.operation === `${tool}.reach` ? 'reach' : 'exec'
    const result = await runIn(rooms, call, kind, connections)
    if (result.kind === 'refused') {
      rmSync(note, { force: true })
      return unavailable(result.message)
    }
    const changes = await changesSince(snapshots, before)
    rmSync(note, { force: true })
    return done(result, changes, connections)
  }

  return {
    name: tool,
    operations,
    connector: {
      execute,
      preview: async () => ({ kind: 'failed', failure: 'refused', retry: 'never', message: 'a command has no preview' }),
      reconcile: ({ operation, effectId }) =>
        operation === `${tool}.reach` && (options.egress ?? []).length > 0
          ? Promise.resolve({ kind: 'unknown', message: 'it could reach others, and nobody can tell what it told them' })
          : inTurn(() => reconcile(snapshots, join(begun, effectId))),
      verify: (call) => inTurn(() => verifyRestored(snapshots, call.arguments)),
    },
    async close() {
      await rooms.close()
      await snapshots.close()
      await options.sandbox.close()
    },
  }
}

type Kind = 'look' | 'exec' | 'reach'

interface Rooms {
  open(session: string, kind: Kind, connections: string[]): Promise<SandboxSession | { readonly refused: string }>
  close(): Promise<void>
}

/** Keeps sandboxes warm. One that only looks and one that may change things are not the same: neither leaves the other anything to find. */
function createRooms({ sandbox, workspace, limits, egress = [], environment = {} }: ShellOptions): Rooms {
  const open = new Map<string, { readonly session: SandboxSession; readonly seen: { connections: string[] } }>()
  let opened = 0

  return {
    async open(of, kind, connections) {
      const key = `${kind} ${of}`
      const known = open.get(key)
      if (known !== undefined) {
        open.delete(key)
        open.set(key, known)
        known.seen.connections = connections
        return known.session
      }
      const seen = { connections }
      const gate = kind === 'reach' && egress.length > 0 ? gateOf(egress, seen) : null
      opened++
      const answer = await sandbox.open({
        id: `c${opened}`,
        ...{ workspace, environment, limits, egress: gate },
        isReadOnly: kind === 'look',
        readOnly: [],
      })
      if (answer.kind === 'refused') return { refused: answer.message }
      open.set(key, { session: answer.session, seen })
      const [oldest] = open.entries()
      if (open.size > MAX_SESSIONS && oldest !== undefined) {
        open.delete(oldest[0])
        void oldest[1].session.close()
      }
      return answer.session
    },
    async close() {
      await Promise.all([...open.values()].map(({ session }) => session.close()))
      open.clear()
    },
  }
}

/** Lets a command speak to the listed hosts and to nobody else, and notes every attempt. */
function gateOf(egress: readonly string[], seen: { connections: string[] }): EgressGate {
  const listed = new Set(egress.map((entry) => entry.toLowerCase()))
  return {
    async decide({ host, port }) {
      const place = `${host}:${port}`
      if (!listed.has(place)) return { allowed: false, reason: `${place} is not among the hosts that the project lists` }
      return { allowed: true, addresses: [place] }
    },
    observed(event) {
      if (event.kind !== 'closed' && seen.connections.length < MAX_NAMED_CHANGES)
        seen.connections.push(`${event.kind} ${event.host}:${event.port}`)
    },
  }
}

async function runIn(rooms: Rooms, call: ConnectorCall, kind: Kind, connections: string[]): Promise<SandboxResult> {
  const { command, cwd, timeoutMs } = argumentsOf(call.arguments)
  const room = await rooms.open(call.session, kind, connections)
  if ('refused' in room) return { kind: 'refused', because: 'failed', message: room.refused }
  return room.run({ command, cwd, ...(timeoutMs === 0 ? {} : { timeoutMs }) })
}

function argumentsOf(args: Json): { readonly command: string; readonly cwd: string; readonly timeoutMs: number } {
  const { command, cwd, timeoutMs } = isObject(args) ? args : {}
  return { command: String(command ?? ''), cwd: String(cwd ?? ''), timeoutMs: Number(timeoutMs ?? 0) }
}

interface Changes {
  readonly before: string | null
  readonly after: string | null
  readonly count: number
  readonly named: readonly string[]
}

const NO_CHANGE: Changes = { before: null, after: null, count: 0, named: [] }

async function changesSince(snapshots: Snapshots, before: string): Promise<Changes> {
  const after = await snapshots.take()
  const changes = before === after ? [] : await snapshots.diff(before, after)
  const named = changes.slice(0, MAX_NAMED_CHANGES).map(({ path, kind }) => `${kind} ${path}`)
  return { before, after, count: changes.length, named }
}

/** What a command answered. One that was ended has an answer too: what it had done by then is known. */
function done(
  result: Exclude<SandboxResult, { kind: 'refused' }>,
  changes: Changes,
  connections: readonly string[],
): ConnectorResult {
  const isCut = result.stdoutTruncated || result.stderrTruncated
  const output = {
    exitCode: result.kind === 'ended' ? result.exitCode : null,
    ended: result.kind === 'ended' ? 'itself' : result.because,
    stdout: text(result.stdout),
    stderr: text(result.stderr),
    truncated: isCut,
    durationMs: Math.round(result.durationMs * 1_000) / 1_000,
    changes: changes.count,
    changed: [...changes.named],
    before: changes.before,
    after: changes.after,
    connections: [...connections],
  }
  return { kind: 'done', output, complete: !isCut }
}

/** Bytes as text; what is not UTF-8 becomes U+FFFD, and so does half a surrogate pair. */
function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).toWellFormed()
}

function unavailable(message: string): ConnectorResult {
  return { kind: 'failed', failure: 'unavailable', retry: 'never', message }
}

async function restore(snapshots: Snapshots, args: Json): Promise<ConnectorResult> {
  const { before, after } = isObject(args) ? args : {}
  try {
    const { restored, conflicts } = await snapshots.restore(String(before), String(after))
    if (conflicts.length === 0) return { kind: 'done', output: { restored, conflicts: [] }, complete: true }
    const some = conflicts.slice(0, 5).join(', ')
    return {
      kind: 'failed',
      failure: 'semantic',
      retry: 'never',
      message: `${restored} are back; ${conflicts.length} were changed again since and are left as they are: ${some}`,
    }
  } catch (error) {
    return unavailable(error instanceof SnapshotError ? error.message : 'the state is not kept any more')
  }
}

/** The change is not there any more when putting it back would do nothing. */
async function verifyRestored(snapshots: Snapshots, args: Json): Promise<{ readonly holds: boolean; readonly detail: string }> {
  const { before, after } = isObject(args) ? args : {}
  const changed = await snapshots.diff(String(before), String(after))
  const now = await snapshots.diff(String(before), await snapshots.take())
  const still = new Set(now.map(({ path }) => path))
  const left = changed.filter(({ path }) => still.has(path))
  return {
    holds: left.length === 0,
    detail: left.length === 0 ? '' : `${left.length} are still changed, such as ${left[0]?.path}`,
  }
}

/** After a crash: a sandbox ends with us, so what the workspace shows is all that it did there. */
async function reconcile(snapshots: Snapshots, note: string): Promise<Reconciliation> {
  let before: string
  try {
    before = readFileSync(note, 'utf8')
  } catch {
    return { kind: 'unknown', message: 'nothing is noted about this command' }
  }
  const changes = await changesSince(snapshots, before)
  rmSync(note, { force: true })
  if (changes.count === 0) return { kind: 'absent' }
  const output = {
    ...{ exitCode: null, ended: 'died', stdout: '', stderr: '', truncated: true, durationMs: 0, connections: [] },
    ...{ changes: changes.count, changed: [...changes.named], before: changes.before, after: changes.after },
  }
  return { kind: 'happened', output }
}
