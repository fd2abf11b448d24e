import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Command, runForLine } from '../child.ts'
import { round } from '../load.ts'
import { describeMachine, type Machine } from '../machine.ts'
import { INSTALL_PEERS, PEERS_ROOT, peerEnvironment } from '../peers/peers.ts'
import { type PolicyEngineName, POLICY_ENGINES, type PolicyContender } from './engines.ts'
import { timerMicroseconds } from './measure.ts'
import { isPolicyRow, parsePolicyLine, type PolicyReport } from './row.ts'

export interface PolicyOptions {
  readonly sizes: readonly number[]
  readonly only: ReadonlySet<PolicyEngineName>
  /** How long to measure each engine with each set. */
  readonly milliseconds: number
  readonly signal: AbortSignal
}

/** Every engine with every set, measured one after the other in one process tree. */
export interface PolicyResult {
  readonly machine: Machine
  /** What it costs to read the clock twice: contained in each `p99Us`. */
  readonly timerUs: number
  readonly sizes: readonly number[]
  readonly rows: readonly PolicyReport[]
  /** Decisions per CPU-second of ours over those of each other engine, by engine and size; only rows without mismatches count. */
  readonly ratio: Readonly<Record<string, Readonly<Record<string, number>>>>
}

const SOURCES = fileURLToPath(new URL('./', import.meta.url))
/** For booting, loading ten thousand policies, and a thousand decisions of the slowest engine on a busy machine. */
const DEADLINE_MS = 300_000

/** Measures every engine with every set, each in a child of its own, never two at a time; progress goes to stderr. */
export async function measurePolicies(options: PolicyOptions): Promise<PolicyResult> {
  const machine = describeMachine()
  const timerUs = timerMicroseconds()
  const rows: PolicyReport[] = []
  for (const size of options.sizes) {
    for (const contender of POLICY_ENGINES.filter(({ name }) => options.only.has(name))) {
      const report = await measureContender(contender, size, options)
      announce(report)
      rows.push(report)
    }
  }
  return { machine, timerUs, sizes: options.sizes, rows, ratio: policyRatios(rows) }
}

/** How many times as many decisions per CPU-second `ours` made as each other engine, size by size. */
export function policyRatios(reports: readonly PolicyReport[]): PolicyResult['ratio'] {
  const right = reports.filter(isPolicyRow).filter(({ mismatches, perCpuSecond }) => mismatches === 0 && perCpuSecond > 0)
  const ratio: Record<string, Record<string, number>> = {}
  for (const row of right) {
    const ours = right.find(({ name, policies }) => name === 'ours' && policies === row.policies)
    if (ours === undefined || row.name === 'ours') continue
    ratio[row.name] = { ...ratio[row.name], [row.policies]: round(ours.perCpuSecond / row.perCpuSecond, 2) }
  }
  return ratio
}

/** True when every engine that took part decided what the reference decides, and none broke. */
export function isSound(result: PolicyResult): boolean {
  return result.rows.every((report) => !('failed' in report) && !(isPolicyRow(report) && report.mismatches > 0))
}

async function measureContender(contender: PolicyContender, policies: number, options: PolicyOptions): Promise<PolicyReport> {
  const { name } = contender
  const scratch = mkdtempSync(join(tmpdir(), 'tidegate-bench-'))
  try {
    const command = commandOf(contender, policies, { milliseconds: options.milliseconds, scratch })
    if ('skipped' in command) return { name, policies, skipped: command.skipped }
    const limits = { deadlineMs: DEADLINE_MS + options.milliseconds, signal: options.signal }
    const ended = await runForLine(command, limits, (line) => parsePolicyLine(line, name))
    return { ...ended, policies }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function commandOf(
  contender: PolicyContender,
  policies: number,
  place: { readonly milliseconds: number; readonly scratch: string },
): Command | { readonly skipped: string } {
  const { name, program, packages } = contender
  const options = [name, '--policies', String(policies), '--milliseconds', String(place.milliseconds)]
  if (packages === undefined)
    return { name, program: process.execPath, args: ['--expose-gc', join(SOURCES, program), ...options] }
  const absent = packages.filter((each) => !existsSync(join(PEERS_ROOT, 'node_modules', each, 'package.json')))
  if (absent.length > 0) return { skipped: `not installed (${absent.join(', ')}): ${INSTALL_PEERS}` }
  const args = ['--expose-gc', join(PEERS_ROOT, 'src', program), ...options]
  return { name, program: process.execPath, args, environment: peerEnvironment(place.scratch) }
}

function announce(report: PolicyReport): void {
  const what = `${report.name}, ${report.policies} policies`
  if (isPolicyRow(report)) console.error(`${what}: ${report.perCpuSecond} decisions per CPU-second, p50 ${report.p50Us} us`)
  else if ('skipped' in report) console.error(`${what}: skipped: ${report.skipped}`)
  else console.error(`${what}: FAILED: ${report.failed}`)
}
