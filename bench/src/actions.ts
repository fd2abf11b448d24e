import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Command, runContender } from './child.ts'
import type { Load } from './load.ts'
import { round } from './load.ts'
import { describeMachine, type Machine } from './machine.ts'
import { loadOptions, PEERS, PEERS_ROOT, type Peer, preparePeer } from './peers/peers.ts'
import { isMeasurement, isSkipped, type Report } from './report-line.ts'

export const CONTENDERS = ['ours', 'floor', 'langgraph', 'dbos', 'restate'] as const

export type Contender = (typeof CONTENDERS)[number]

export interface ActionsOptions {
  readonly load: Load
  readonly only: ReadonlySet<Contender>
  readonly signal: AbortSignal
}

/** Ours under its policies, and the cost of one action alone beside the cost of one fsync on the same disk. */
interface Ours {
  /** Those of {@link constantPolicy}; null if not measured. */
  readonly perSecond: number | null
  readonly p50Ms: number | null
  readonly p99Ms: number | null
  readonly constantPolicy: Report
  /** The default policies, six limits, and labels over tainted runs. */
  readonly everything: Report
  readonly oneInFlight: Report
  /** The mean of the medians measured just before and just after ours; null if not measured. */
  readonly fsyncP50Ms: number | null
  /** p50 of one action in flight over {@link fsyncP50Ms}. */
  readonly ratioToFsync: number | null
}

/** Everything measured in one process tree, one contender after the other. */
export interface ActionsResult {
  readonly machine: Machine
  readonly ours: Ours
  readonly floor: Report
  readonly peers: readonly Report[]
  /** Actions per second of ours, constant policy, over those of each peer that was measured. */
  readonly ratio: Readonly<Record<string, number>>
}

const SOURCES = fileURLToPath(new URL('./', import.meta.url))
const BOOT_MS = 120_000
const FSYNC_SAMPLES = 4_000
const ONE_IN_FLIGHT_ACTIONS = 10_000

/** Measures the contenders one after the other, never two at the same time; progress goes to stderr. */
export async function measureActions(options: ActionsOptions): Promise<ActionsResult> {
  const machine = describeMachine()
  const ours = options.only.has('ours') ? await measureOurs(options) : notAskedOurs()
  const floor = options.only.has('floor')
    ? await measureOwn('floor', 'floor.ts', loadOptions(options.load), options)
    : { name: 'floor', skipped: NOT_ASKED }
  const peers: Report[] = []
  for (const peer of PEERS.filter(({ family }) => options.only.has(family))) {
    peers.push(await measurePeer(peer, options))
  }
  return { machine, ours, floor, peers, ratio: ratios(ours.constantPolicy, peers) }
}

/** All reports in the order of the table. */
export function allReports(result: ActionsResult): readonly Report[] {
  return [result.ours.constantPolicy, result.ours.everything, result.ours.oneInFlight, result.floor, ...result.peers]
}

/** How many times as many actions per second `ours` did as each measured peer. */
export function ratios(ours: Report, peers: readonly Report[]): Record<string, number> {
  if (!isMeasurement(ours)) return {}
  const measured = peers.filter(isMeasurement).filter(({ perSecond }) => perSecond > 0)
  return Object.fromEntries(measured.map(({ name, perSecond }) => [name, round(ours.perSecond / perSecond, 1)]))
}

const NOT_ASKED = 'not asked for (--only)'

function notAskedOurs(): Ours {
  const skipped = (name: string): Report => ({ name, skipped: NOT_ASKED })
  return {
    ...figuresOf(skipped('ours')),
    constantPolicy: skipped('ours, constant policy'),
    everything: skipped('ours, everything on'),
    oneInFlight: skipped('ours, one in flight'),
    fsyncP50Ms: null,
    ratioToFsync: null,
  }
}

function figuresOf(report: Report): Pick<Ours, 'perSecond' | 'p50Ms' | 'p99Ms'> {
  return isMeasurement(report)
    ? { perSecond: report.perSecond, p50Ms: report.p50Ms, p99Ms: report.p99Ms }
    : { perSecond: null, p50Ms: null, p99Ms: null }
}

async function measureOurs(options: ActionsOptions): Promise<Ours> {
  const { load } = options
  const mode = (name: string, value: string, actions: number, inFlight: number): Promise<Report> =>
    measureOwn(name, 'ours.ts', ['--mode', value, '--actions', String(actions), '--in-flight', String(inFlight)], options)
  const constantPolicy = await mode('ours, constant policy', 'constant', load.actions, load.inFlight)
  const everything = await mode('ours, everything on', 'full', load.actions, load.inFlight)
  const before = await measureFsync(options)
  const oneInFlight = await mode('ours, one in flight', 'one', Math.min(load.actions, ONE_IN_FLIGHT_ACTIONS), 1)
  const after = await measureFsync(options)
  const medians = [before, after].filter(isMeasurement).map(({ p50Ms }) => p50Ms)
  const fsyncP50Ms = medians.length === 0 ? null : round(medians.reduce((sum, median) => sum + median, 0) / medians.length, 3)
  const ratioToFsync =
    fsyncP50Ms !== null && fsyncP50Ms > 0 && isMeasurement(oneInFlight) ? round(oneInFlight.p50Ms / fsyncP50Ms, 2) : null
  return { ...figuresOf(constantPolicy), constantPolicy, everything, oneInFlight, fsyncP50Ms, ratioToFsync }
}

function measureFsync(options: ActionsOptions): Promise<Report> {
  return measureOwn('fsync', 'fsync.ts', ['--actions', String(FSYNC_SAMPLES), '--seconds', '3'], options)
}

/** A contender of this package. It is given a fixed number of actions, so its deadline allows for a slow machine. */
async function measureOwn(name: string, program: string, args: readonly string[], options: ActionsOptions): Promise<Report> {
  const path = join(SOURCES, program)
  if (!existsSync(path)) return announce({ name, skipped: `bench/src/${program} does not exist` })
  const command: Command = { name, program: process.execPath, args: [path, ...args] }
  const deadlineMs = BOOT_MS + options.load.seconds * 1_000 + options.load.actions
  console.error(`${name} ...`)
  return announce(await runContender(command, { deadlineMs, signal: options.signal }))
}

/** A peer writes into a folder of its own, which goes even when the peer was killed. */
async function measurePeer(peer: Peer, options: ActionsOptions): Promise<Report> {
  const scratch = mkdtempSync(join(tmpdir(), 'tidegate-bench-'))
  chmodSync(scratch, 0o755)
  try {
    const command = preparePeer(peer, options.load, { root: PEERS_ROOT, scratch })
    if ('skipped' in command) return announce(command)
    console.error(`${peer.name} ...`)
    const deadlineMs = BOOT_MS + options.load.seconds * 1_000
    return announce(await runContender(command, { deadlineMs, signal: options.signal }))
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function announce(report: Report): Report {
  if (isMeasurement(report)) console.error(`${report.name}: ${report.perSecond} actions/s, p50 ${report.p50Ms} ms`)
  else if (isSkipped(report)) console.error(`${report.name}: skipped: ${report.skipped}`)
  else console.error(`${report.name}: FAILED: ${report.failed}`)
  return report
}
