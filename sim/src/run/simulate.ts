import { createHash } from 'node:crypto'
import type { Question, RunEvent } from '@tidegate/kernel'
import { createChance, createDisk, createFarSide } from '@tidegate/testkit'
import { check } from '../check/check.ts'
import type { HostPlan } from '../plan/hosts.ts'
import { drawScenario } from '../plan/scenario.ts'
import { createAgenda, settle } from './agenda.ts'
import { overhear, wish } from './host-acts.ts'
import { startLife } from './life.ts'
import { deliver, happen, lift, voteSomewhere } from './people-act.ts'
import { crash, type Simulation, type Tamper, tell } from './simulation.ts'
import { createWitness } from './witness.ts'

export interface SimulateOptions {
  readonly seed: number
  /** Dies at this crash point, and at no other; crashes by chance unless given. 0 never dies by chance. */
  readonly crashAt?: number
  readonly tamper?: Tamper
}

/** What a seed turned out to do. The same options give the same outcome, to the byte. */
export interface Outcome {
  readonly seed: number
  /** Crash points passed: durable writes, and moments before and after effects. */
  readonly points: number
  /** The point it was told to crash at. */
  readonly crashAt: number | undefined
  /** Crashes at such a point. */
  readonly crashPoints: number
  readonly faults: number
  readonly effects: number
  readonly runs: number
  readonly violations: readonly { readonly invariant: string; readonly message: string }[]
  readonly trace: readonly string[]
  /** Hex SHA-256 over the trace and the journal. */
  readonly hash: string
}

/** How much virtual time the system gets to come to rest after the last bad thing: more than any deadline in any scenario. */
const REST_MS = 30 * 86_400_000
const MAX_STEPS = 30_000

/** Runs the whole system once. One seed, one run. */
export async function simulate({ seed, crashAt, tamper = {} }: SimulateOptions): Promise<Outcome> {
  const sim = createSimulation(seed, crashAt ?? null, tamper)
  const { scenario, agenda } = sim
  for (const trigger of scenario.triggers) for (const atMs of trigger.deliveries) agenda.after(atMs, () => deliver(sim, trigger))
  for (const happening of scenario.happenings) agenda.after(happening.atMs, () => happen(sim, happening))
  for (const host of scenario.hosts) callAll(sim, host)
  agenda.after(scenario.quietMs, () => becomeQuiet(sim))
  startLife(sim)
  await runToRest(sim)
  // I12: one more life on the same disk, with nothing left to do, must do nothing.
  const before = sim.witness.calls.length
  crash(sim, 'to see that a restart does nothing')
  startLife(sim)
  await runToRest(sim)
  const calls = sim.witness.calls.length - before
  if (calls > 0) sim.witness.violations.push({ invariant: 'I12', message: `a restart at rest made ${calls} calls` })
  await check(sim)
  return outcomeOf(sim)
}

function createSimulation(seed: number, crashAt: number | null, tamper: Tamper): Simulation {
  const chance = createChance(seed * 104_729 + 3)
  const chances = {
    store: chance.fork(),
    hazard: chance.fork(),
    time: chance.fork(),
    people: chance.fork(),
    crash: chance.fork(),
    entropy: chance.fork(),
    hosts: createChance(seed * 122_949_823 + 5),
  }
  return {
    scenario: drawScenario(seed),
    agenda: createAgenda(),
    disk: createDisk(),
    farSide: createFarSide(),
    witness: createWitness(),
    tamper,
    secret: `hush-${seed}-${chance.below(1_000_000_000)}`,
    chances,
    trace: [],
    crashAt,
    life: undefined,
    points: 0,
    crashPoints: 0,
    faults: 0,
    appends: 0,
    policy: 0,
    schema: 1,
    isQuiet: false,
  }
}

/** The agents of a host begin with what they want, and read what strangers write in between. */
function callAll(sim: Simulation, host: HostPlan): void {
  for (const plan of host.calls) {
    sim.agenda.after(plan.atMs, () => wish(sim, host, plan))
    if (plan.trick === 'again') sim.agenda.after(plan.atMs + 1_000, () => overhear(sim, host, plan.session))
  }
}

/** From here on nothing bad happens any more. */
function becomeQuiet(sim: Simulation): void {
  sim.isQuiet = true
  tell(sim, 'quiet from here on')
  crash(sim, 'for the last time')
  if (sim.scenario.liftAtEnd) sim.agenda.after(2_000, () => lift(sim, 1_000))
}

async function runToRest(sim: Simulation): Promise<void> {
  const { agenda } = sim
  let seen = sim.disk.entries.length
  for (let step = 0; step < MAX_STEPS; step++) {
    await settle()
    seen = react(sim, seen)
    if (sim.life === undefined)
      agenda.after(sim.isQuiet ? 1 : 100 + sim.chances.time.below(4_000), () => sim.life === undefined && startLife(sim))
    if (!agenda.advance(REST_MS)) return
  }
  sim.witness.violations.push({ invariant: 'liveness', message: `not at rest after ${MAX_STEPS} steps` })
}

/** People hear of new questions and come to vote. Where plans are approved, somebody may deploy another policy right afterwards. */
function react(sim: Simulation, from: number): number {
  const { isPlanned } = sim.scenario.declassifying
  for (const entry of sim.disk.entries.slice(from)) {
    for (const event of entry.events as readonly RunEvent[]) {
      if (sim.isQuiet) continue
      if (event.type === 'approval.opened') comeToVote(sim, event.question, isPlanned ? 2 : 0)
      if (event.type === 'approval.voted' && event.plan === true && sim.chances.people.oneIn(4)) {
        const withinMs = 3 * sim.scenario.weather.delayMs + 2
        sim.agenda.after(sim.chances.people.below(withinMs), () => happen(sim, { kind: 'deploy', atMs: 0 }))
      }
    }
  }
  return sim.disk.entries.length
}

function comeToVote(sim: Simulation, { openedAtMs, deadlineMs }: Question, atLeast: number): void {
  for (let n = sim.chances.people.below(4) + atLeast; n > 0; n--)
    sim.agenda.after(sim.chances.people.below(deadlineMs - openedAtMs), () => voteSomewhere(sim))
}

function outcomeOf(sim: Simulation): Outcome {
  const { witness, disk, trace } = sim
  const hash = createHash('sha256')
    .update(JSON.stringify([trace, disk.entries, witness.calls]))
    .digest('hex')
  return {
    seed: sim.scenario.seed,
    points: sim.points,
    crashAt: sim.crashAt ?? undefined,
    crashPoints: sim.crashPoints,
    faults: sim.faults,
    effects: witness.landings.length,
    runs: disk.heads.size,
    violations: witness.violations,
    trace,
    hash,
  }
}
