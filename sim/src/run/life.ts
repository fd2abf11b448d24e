import { nodeHasher, nodeVerifier } from '@tidegate/crypto-node'
import type { LogLine } from '@tidegate/kernel'
import {
  createBreakerPanel,
  createClaims,
  createInFlight,
  createLabels,
  createRegistry,
  createSessions,
  createTimeFacts,
  hostWorkflow,
  openControl,
  openTaint,
  startTidegate,
} from '@tidegate/runtime'
import { WORLD_OPERATIONS } from '@tidegate/testkit'
import { declaredIn } from '../plan/declassify.ts'
import { HOST_TOOLS, SHELL } from '../plan/hosts.ts'
import { createPlanner } from '../plan/planners.ts'
import { drawPolicy, engineOf } from '../plan/policies.ts'
import { openCounts, readCounts, SALT } from './counts.ts'
import { ledgerOf } from './disk-ledger.ts'
import { hostConnectorOf } from './host-acts.ts'
import { connectorOf, journalOf } from './ports.ts'
import { type Life, type Simulation, tell } from './simulation.ts'

/** Makes the ids of conversations; secret only in earnest. */
export const SESSION_SALT = 'salt'

/** It remembers nothing but the names of hours, and takes its time to make. */
const timeFacts = createTimeFacts({ timeZone: 'UTC' })

/** Starts Tidegate on whatever is on the disk: the real kernel, harness and desk, on fake ports. */
export function startLife(sim: Simulation): void {
  const life: Life = {
    n: sim.witness.lives.length + 1,
    isAlive: true,
    tidegate: undefined,
    appending: 0,
    isTorn: false,
    lastLook: () => undefined,
    cutOff: [],
  }
  sim.life = life
  const plan = sim.scenario.policies[sim.policy % sim.scenario.policies.length] ?? drawPolicy(sim.chances.people, 'p1')
  sim.witness.lives.push({ from: sim.disk.entries.length, policyVersion: plan.version, schema: sim.schema })
  tell(sim, `life ${life.n} starts with policy ${plan.version} and ${sim.disk.entries.length} entries`)
  boot(sim, life, plan).catch((error: unknown) => {
    if (life.isAlive)
      sim.witness.violations.push({ invariant: 'defect', message: `life ${life.n} did not start: ${String(error)}` })
  })
}

async function boot(sim: Simulation, life: Life, plan: Simulation['scenario']['policies'][number]): Promise<void> {
  const { agenda, witness, tamper, scenario } = sim
  const { clock } = agenda
  const ledger = ledgerOf(sim.disk)
  const meters = await openCounts(scenario, { journal: journalOf(sim, life), ledger, clock })
  const { journal } = meters
  const log = (line: LogLine): void => {
    witness.logs.push(line.message)
    if (line.level === 'error' && line.code?.startsWith('journal_') !== true)
      witness.violations.push({ invariant: 'defect', message: `run ${line.run}: ${line.code} ${line.message}` })
    tell(sim, `log: ${line.level} ${line.code ?? ''} ${line.message}`)
  }
  const control = await openControl(journal, clock)
  const declared = WORLD_OPERATIONS.map((operation) => ({
    ...declaredIn(scenario.declassifying, operation),
    schemaVersion: `${operation.id}/${sim.schema}`,
  }))
  const tools = ['desk', 'mail'].map((name) => ({
    name,
    operations: declared.filter((operation) => operation.tool === name),
    connector: connectorOf(sim, life),
  }))
  const workflows = scenario.workflows.map((planned) => {
    const made = createPlanner(planned)
    return { workflow: planned.workflow, planner: tamper.planner?.(made) ?? made }
  })
  const engine = engineOf(plan, scenario.meters)
  const claims = createClaims({ clock })
  const hosts = scenario.hosts.map(({ declaration }) => declaration)
  const shell = {
    name: 'shell',
    operations: [{ ...SHELL, schemaVersion: `${SHELL.id}/${sim.schema}` }],
    connector: hostConnectorOf(sim, life, claims),
  }
  const callWorkflows = hosts.map((host) => hostWorkflow(host, HOST_TOOLS, nodeHasher))
  const registry = createRegistry([...tools, ...(hosts.length === 0 ? [] : [shell])], [...workflows, ...callWorkflows])
  const sessions = createSessions({ journal, clock, find: registry.find, hasher: nodeHasher, salt: SESSION_SALT })
  const tidegate = await startTidegate({
    journal,
    control,
    registry,
    policy: tamper.policy?.(engine) ?? engine,
    clock,
    entropy: sim.chances.entropy,
    hasher: nodeHasher,
    verifier: nodeVerifier,
    secrets: async () => sim.secret,
    log,
    breakers: createBreakerPanel({ control, clock, log, limits: { threshold: 3, coolMs: 5_000 } }),
    inFlight: createInFlight(),
    ledger: {
      head: journal.head,
      verifierKey: '',
      texts: ledger.texts,
      tile: () => new Uint8Array(),
      lastIndex: () => undefined,
      payloads: () => [],
    },
    writeExport: async () => 0,
    meters,
    labels: createLabels(registry, sessions),
    taint: openTaint({ ledger, hasher: nodeHasher, salt: SALT }),
    timeFacts,
    rolesOf: () => [],
    ...(hosts.length === 0 ? {} : { claims, hosts: { hosts, sessionsOfHosts: sessions, claimsOfHosts: claims } }),
  })
  if (!life.isAlive) return
  life.lastLook = () => {
    const { n } = life
    const values = readCounts(meters, scenario, sim.disk)
    if (scenario.meters.length > 0) witness.counts.push({ life: n, size: sim.disk.entries.length, nowMs: clock.nowMs(), values })
  }
  tidegate.harness.watch((state) => {
    if (life.isAlive) witness.states.set(state.opened.run, state)
  })
  life.tidegate = tidegate
}
