import type { Connector, Journal, Planner, PolicyEngine } from '@tidegate/kernel'
import type { Harness, HostDesk, Tidegate } from '@tidegate/runtime'
import type { Chance, Disk, FarSide } from '@tidegate/testkit'
import type { Scenario } from '../plan/scenario.ts'
import type { Agenda } from './agenda.ts'
import type { Witness } from './witness.ts'

/** Ports as a test may break them, to see that the checkers notice. The product never has one. */
export interface Tamper {
  readonly journal?: (journal: Journal, disk: Disk) => Journal
  readonly policy?: (policy: PolicyEngine) => PolicyEngine
  readonly connector?: (connector: Connector) => Connector
  readonly planner?: (planner: Planner) => Planner
}

/** Everything of one simulation that outlives a crash. */
export interface Simulation {
  readonly scenario: Scenario
  readonly agenda: Agenda
  readonly disk: Disk
  readonly farSide: FarSide
  readonly witness: Witness
  readonly tamper: Tamper
  /** The secret of this seed: it must turn up nowhere. */
  readonly secret: string
  readonly chances: Readonly<Record<'store' | 'hazard' | 'time' | 'people' | 'crash' | 'entropy' | 'hosts', Chance>>
  readonly trace: string[]
  /** The crash point to die at, or null for crashes by chance alone. */
  readonly crashAt: number | null
  /** The life that goes on now; undefined while Tidegate is down. */
  life: Life | undefined
  points: number
  crashPoints: number
  faults: number
  appends: number
  policy: number
  schema: number
  isQuiet: boolean
}

/** One process. Dead once `isAlive` is false: nothing that it still has under way may touch the world or the disk. */
export interface Life {
  readonly n: number
  isAlive: boolean
  tidegate: (Tidegate & { readonly harness: Harness; readonly hostDesk?: HostDesk }) | undefined
  /** Appends that it waits for. */
  appending: number
  /** A store that failed may hold a record that the process knows nothing of. */
  isTorn: boolean
  /** A last look at what it holds in memory; called only while no append is under way. */
  lastLook: () => void
  /** Told when the process ends: whoever waits for an answer of it is cut off. */
  readonly cutOff: (() => void)[]
}

export function tell(sim: Simulation, line: string): void {
  sim.trace.push(`${(sim.agenda.nowMs() / 1_000).toFixed(3).padStart(9)} s  ${line}`)
}

/** A promise for nobody: what a dead process waits for. */
export function never<T>(): Promise<T> {
  return new Promise(() => undefined)
}

/** Kills the process: its timers are forgotten, and everything it holds in memory is gone. */
export function crash(sim: Simulation, why: string): void {
  const { life } = sim
  if (life === undefined || !life.isAlive) return
  if (life.appending === 0 && !life.isTorn) life.lastLook()
  life.isAlive = false
  sim.life = undefined
  sim.agenda.clock.forget()
  tell(sim, `CRASH of life ${life.n} ${why}`)
  for (const cut of life.cutOff) cut()
}

/** A moment at which the process may die. True when it just did, or was dead already. */
export function passPoint(sim: Simulation, life: Life, what: string): boolean {
  if (!life.isAlive) return true
  sim.points += 1
  const { weather } = sim.scenario
  const byChance = sim.crashAt === null && !sim.isQuiet && weather.crash > 0 && sim.chances.crash.oneIn(weather.crash)
  if (sim.points !== sim.crashAt && !byChance) return false
  sim.crashPoints += 1
  crash(sim, `at point ${sim.points}, ${what}`)
  return true
}
