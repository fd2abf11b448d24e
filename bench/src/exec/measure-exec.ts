import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, runForLine } from '../child.ts'
import { round } from '../load.ts'
import { describeMachine, type Machine } from '../machine.ts'
import { INSTALL_PEERS, PEERS_ROOT, peerEnvironment } from '../peers/peers.ts'
import { type ExecFigures, parseExecLine, summariseExec } from './figures.ts'
import {
  openBare,
  openCold,
  openFresh,
  openSpawn,
  openSubshell,
  openWarm,
  type ShellOpener,
  type ShellUnderTest,
} from './shells.ts'

export interface ExecOptions {
  /** Commands of each contender: so many at once after each other, and so many with a pause before each. */
  readonly commands: number
  readonly pauseMs: number
  readonly signal: AbortSignal
}

export type ExecRow = { readonly name: string; readonly notes: string } & (
  | ExecFigures
  | { readonly skipped: string }
  | { readonly failed: string }
)

export interface ExecResult {
  readonly machine: Machine
  readonly commands: number
  readonly pauseMs: number
  readonly rows: readonly ExecRow[]
  /** Milliseconds by which the median of a warm command exceeds that of a plain warm shell. Null where one is missing. */
  readonly warmOver: { readonly subshell: Difference | null; readonly fresh: Difference | null }
  readonly cold: { readonly p50Ms: number } | null
}

export interface Difference {
  readonly backToBackMs: number
  readonly pacedMs: number
}

interface Own {
  readonly name: string
  readonly open: ShellOpener
  readonly notes: string
}

const OWN: readonly Own[] = [
  { name: 'plain subshell', open: openSubshell, notes: 'no sandbox: a resident bash that copies itself for each command' },
  { name: 'plain fresh shell', open: openFresh, notes: 'no sandbox: a resident bash that starts a bash for each command' },
  {
    name: 'ours, warm',
    open: openWarm,
    notes: 'one sandbox for all commands; a fresh bash for each, everything left over killed',
  },
  { name: 'plain spawn', open: openSpawn, notes: 'no sandbox: Node starts a bash for each command' },
  { name: 'bwrap, bare', open: openBare, notes: 'strict namespaces, no filter, no limits, no control group' },
  { name: 'ours, cold', open: openCold, notes: 'a sandbox for each command, opened and ready to take more' },
]

const PEER = { name: 'sandbox-runtime', program: 'exec-sandbox-runtime.ts', packages: ['@anthropic-ai/sandbox-runtime'] }
const PEER_NOTES = 'its library: wrap, then start; no network allowed; root of the host readable'
const PEER_DEADLINE_MS = 120_000
/** Commands of a contender before it is the next one's turn. Neighbours on the machine disturb all alike. */
const TURN = 10

/** Measures all contenders in turns, a few commands each, and then the peer in a child of its own; progress goes to stderr. */
export async function measureExec(options: ExecOptions): Promise<ExecResult> {
  const machine = describeMachine()
  const place = mkdtempSync(join(tmpdir(), 'tidegate-bench-'))
  chmodSync(place, 0o755)
  try {
    const rows = [...(await measureOwn(place, options)), await measurePeer(place, options)]
    const find = (name: string): ExecFigures | null =>
      rows.flatMap((row) => (row.name === name && 'paced' in row ? [row] : []))[0] ?? null
    const warm = find('ours, warm')
    const cold = find('ours, cold')
    const { commands, pauseMs } = options
    return {
      machine,
      commands,
      pauseMs,
      rows,
      warmOver: { subshell: over(warm, find('plain subshell')), fresh: over(warm, find('plain fresh shell')) },
      cold: cold === null ? null : { p50Ms: cold.backToBack.p50Ms },
    }
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

export function over(ours: ExecFigures | null, plain: ExecFigures | null): Difference | null {
  if (ours === null || plain === null) return null
  return {
    backToBackMs: round(ours.backToBack.p50Ms - plain.backToBack.p50Ms, 3),
    pacedMs: round(ours.paced.p50Ms - plain.paced.p50Ms, 3),
  }
}

async function measureOwn(place: string, options: ExecOptions): Promise<readonly ExecRow[]> {
  const opened: { readonly own: Own; readonly shell: ShellUnderTest; readonly backToBack: number[]; readonly paced: number[] }[] =
    []
  const failed: ExecRow[] = []
  for (const [index, own] of OWN.entries()) {
    const directory = join(place, String(index))
    try {
      opened.push({ own, shell: await openIn(own, directory), backToBack: [], paced: [] })
    } catch (cause) {
      failed.push({ name: own.name, notes: own.notes, failed: cause instanceof Error ? cause.message : String(cause) })
    }
  }
  for (let done = 0; done < options.commands && !options.signal.aborted; done += TURN) {
    for (const { shell, backToBack, paced } of opened) {
      await turn(shell, backToBack, 0)
      await turn(shell, paced, options.pauseMs)
    }
  }
  for (const { shell } of opened) await shell.close()
  const measured = opened.map(({ own, backToBack, paced }) => ({
    name: own.name,
    notes: own.notes,
    ...summariseExec({ backToBack, paced }),
  }))
  return [...measured, ...failed]
}

function openIn(own: Own, directory: string): Promise<ShellUnderTest> {
  mkdirSync(directory)
  chmodSync(directory, 0o777)
  return own.open(directory)
}

/** The first command of a turn warms up and is not counted. */
async function turn(shell: ShellUnderTest, samples: number[], pauseMs: number): Promise<void> {
  for (let index = 0; index <= TURN; index += 1) {
    if (pauseMs > 0) await sleep(pauseMs)
    const startedMs = performance.now()
    await shell.run()
    if (index > 0) samples.push(performance.now() - startedMs)
  }
}

async function measurePeer(place: string, options: ExecOptions): Promise<ExecRow> {
  const { name } = PEER
  const absent = PEER.packages.filter((each) => !existsSync(join(PEERS_ROOT, 'node_modules', each, 'package.json')))
  if (absent.length > 0) return { name, notes: PEER_NOTES, skipped: `not installed (${absent.join(', ')}): ${INSTALL_PEERS}` }
  const counts = ['--commands', String(Math.min(options.commands, 100)), '--pause', String(options.pauseMs)]
  const command: Command = {
    name,
    program: process.execPath,
    args: [join(PEERS_ROOT, 'src', PEER.program), ...counts],
    environment: peerEnvironment(place),
  }
  const report = await runForLine(command, { deadlineMs: PEER_DEADLINE_MS, signal: options.signal }, parseExecLine)
  if ('failed' in report) return { name, notes: PEER_NOTES, failed: report.failed }
  return { name, notes: PEER_NOTES, ...report }
}
