import { join, resolve } from 'node:path'
import { createCedarEngine } from '@tidegate/cedar'
import { nodeEntropy, nodeHasher, nodeVerifier, systemClock } from '@tidegate/crypto-node'
import { createWriterParts } from '@tidegate/crypto-node/writer-parts'
import { openThreadedJournal, type SqliteJournal } from '@tidegate/journal-sqlite'
import type { Clock, Log } from '@tidegate/kernel'
import { createOpenAiModel } from '@tidegate/model-openai'
import { type Configuration, loadProject, type Project } from '@tidegate/project'
import {
  createAgentPlanner,
  createBreakerPanel,
  createGraphPlanner,
  createInFlight,
  createRegistry,
  createTimeFacts,
  type Harness,
  type ModelUse,
  openControl,
  type Registry,
  startTidegate,
  sweepRetention,
  type Tidegate,
  withoutMeters,
  type WorkflowWithPlanner,
} from '@tidegate/runtime'
import { createSecretSource, readSecret } from './secrets.ts'
import { ServerError } from './error.ts'
import { checkState } from './state/check-state.ts'
import { writeExport } from './state/export-writer.ts'
import { makeDirectory } from './state/make-directory.ts'
import { openKeys } from './state/keys.ts'
import { createSteadyClock } from './steady-clock.ts'
import { startWitnessing } from './witnessing.ts'

/** A Tidegate that runs, with what belongs to it. */
export interface Composition {
  readonly tidegate: Tidegate & { readonly harness: Harness }
  readonly registry: Registry
  readonly stateDirectory: string
  close(): Promise<void>
}

/** What a composition is made from. */
export interface Ground {
  readonly project: string
  readonly configuration: Configuration
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly log: Log
  readonly version: string
}

/** How often retention is enforced. */
const SWEEP_MS = 3_600_000

/**
 * Puts a Tidegate together from a project. Everything is checked before anything is opened or started: tools, workflows, policies.
 *
 * @throws ServerError, or the error of the part that refused.
 */
export async function compose(ground: Ground): Promise<Composition> {
  const { configuration, project, log } = ground
  const loaded = await loadProject(project, { configuration })
  const registry = createRegistry(loaded.tools, plannedWorkflows(ground, loaded))
  const policy = createCedarEngine({ policies: loaded.policyFiles, schema: loaded.schema })
  const stateDirectory = resolve(project, configuration.store.directory)
  const journal = await openJournal(stateDirectory, configuration)
  const stop: (() => void)[] = []
  try {
    const clock = createSteadyClock(systemClock)
    const control = await openControl(journal, clock)
    const witnessing = await startWitnessing({ configuration, clock, ledger: journal.ledger, log })
    if (witnessing !== undefined) stop.push(witnessing.stop)
    await control.append(
      [{ type: 'server.started', version: ground.version, policyVersion: policy.version, configuration: configuration.name }],
      { raisesEpoch: false },
    )
    const [started] = await journal.read('control', control.state.seq - 1)
    clock.notBefore(started?.atMs ?? 0)
    const tidegate = await startTidegate({
      journal,
      control,
      registry,
      policy,
      clock,
      entropy: nodeEntropy,
      hasher: nodeHasher,
      verifier: nodeVerifier,
      secrets: createSecretSource({ project, secrets: configuration.secrets, environment: ground.environment }),
      log,
      breakers: createBreakerPanel({ control, clock, log }),
      inFlight: createInFlight(),
      ledger: witnessing?.ledger ?? journal.ledger,
      ...(witnessing === undefined ? {} : { beforeExport: witnessing.show }),
      writeExport,
      meters: withoutMeters(journal),
      timeFacts: createTimeFacts({ timeZone: configuration.timeZone }),
      rolesOf: rolesIn(configuration),
    })
    if (configuration.retention !== undefined)
      stop.push(startRetention({ journal, control, clock, log }, configuration.retention.payloads))
    const close = async (): Promise<void> => {
      for (const each of stop) each()
      await tidegate.close()
    }
    return { tidegate, registry, stateDirectory, close }
  } catch (error) {
    for (const each of stop) each()
    await journal.close()
    throw error
  }
}

/** Finds the roles of a person among those that the project lists. */
function rolesIn({ people }: Configuration): (user: string) => readonly string[] {
  const roles = new Map(people.map((person) => [person.id, person.roles]))
  return (user) => roles.get(user) ?? NOBODY
}

const NOBODY: readonly string[] = []

/** The workflows of the project with the planners that propose for them. */
function plannedWorkflows(ground: Ground, { workflows, withoutModel }: Project): readonly WorkflowWithPlanner[] {
  for (const name of withoutModel) {
    const message = `workflow ${name} is left out: its planner needs a model, and the configuration names none`
    ground.log({ level: 'info', message })
  }
  const model = modelUse(ground)
  return workflows.flatMap(({ workflow, graph, agent, parseInput }) => {
    const planner =
      graph !== undefined
        ? createGraphPlanner({ graph, ...(model === undefined ? {} : { model }) })
        : agent !== undefined && model !== undefined
          ? createAgentPlanner({ plan: agent, model })
          : undefined
    return planner === undefined ? [] : [{ workflow, planner, parseInput }]
  })
}

function modelUse({ configuration, project, environment }: Ground): ModelUse | undefined {
  const { model } = configuration
  if (model === undefined) return undefined
  const { preset, name, baseUrl, apiKey, timeout, maxOutputTokens, price } = model
  const options = {
    preset,
    name,
    ...(baseUrl === undefined ? {} : { baseUrl }),
    ...(apiKey === undefined ? {} : { apiKey: async () => readSecret('model.apiKey', apiKey, { project, environment }) }),
  }
  const micros = {
    inputMicros: Math.round(price.inputPerMillion * 1_000_000),
    outputMicros: Math.round(price.outputPerMillion * 1_000_000),
  }
  return { model: createOpenAiModel(options), clock: systemClock, price: micros, timeoutMs: timeout, maxOutputTokens }
}

function openJournal(directory: string, configuration: Configuration): Promise<SqliteJournal> {
  checkState(directory)
  const keys = openKeys(directory, `${configuration.trustDomain}/${configuration.name}`)
  try {
    makeDirectory(directory, 0o700)
  } catch (cause) {
    throw new ServerError('state_unusable', `The state directory ${directory} cannot be made.`, { cause })
  }
  return openThreadedJournal({
    file: join(directory, 'journal.db'),
    ...createWriterParts(keys),
    partsModule: new URL(import.meta.resolve('@tidegate/crypto-node/writer-parts')),
    partsData: keys,
  })
}

/** Sweeps now and then, one sweep at a time; the answer ends it, also one that is under way. */
function startRetention(parts: Parameters<typeof sweepRetention>[0] & { readonly clock: Clock }, keepMs: number): () => void {
  const ended = new AbortController()
  let sweeping = false
  const sweep = async (): Promise<void> => {
    if (sweeping) return
    sweeping = true
    try {
      await sweepRetention(parts, { nowMs: parts.clock.nowMs(), keepMs, signal: ended.signal })
    } catch (error) {
      if (ended.signal.aborted) return
      parts.log({
        level: 'error',
        code: 'retention_failed',
        message: `retention failed: ${error instanceof Error ? error.message : 'unknown'}`,
      })
    } finally {
      sweeping = false
    }
  }
  void sweep()
  const timer = setInterval(() => void sweep(), SWEEP_MS)
  timer.unref()
  return () => {
    ended.abort()
    clearInterval(timer)
  }
}
