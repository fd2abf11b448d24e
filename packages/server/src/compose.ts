import { join, resolve } from 'node:path'
import { createPolicyLoader } from '@tidegate/cedar'
import { nodeEntropy, nodeHasher, nodeVerifier, systemClock } from '@tidegate/crypto-node'
import { createWriterParts, type JournalKeys } from '@tidegate/crypto-node/writer-parts'
import { deriveSecret, openThreadedJournal, type SqliteJournal } from '@tidegate/journal-sqlite'
import { hostToolsOf } from '@tidegate/host-tools'
import type { Clock, Journal, LedgerReader, Log, PolicyLoader } from '@tidegate/kernel'
import { createOpenAiModel } from '@tidegate/model-openai'
import { type Configuration, loadProject, type Project } from '@tidegate/project'
import {
  agentPrompt,
  type AuthZen,
  type BuiltinPart,
  builtinTool,
  builtinWorkflows,
  type Claims,
  type Control,
  createAgentPlanner,
  createBreakerPanel,
  createClaims,
  createGraphPlanner,
  createInFlight,
  createLabels,
  createQuarantine,
  createRegistry,
  createTimeFacts,
  type Meters,
  type ModelUse,
  openControl,
  openPolicyStore,
  openTaint,
  type PolicyStore,
  recordProject,
  type Registry,
  type StartedTidegate,
  startTidegate,
  sweepRetention,
  type TidegateParts,
  withBuiltinPolicy,
  type WorkflowWithPlanner,
} from '@tidegate/runtime'
import type { McpTools } from '@tidegate/tools-mcp'
import type { ModelProxy } from '@tidegate/tools-model'
import { createDoctor } from './doctor.ts'
import { builtinDeclarations, createBuiltinParts } from './builtins.ts'
import { prepareAuthZen } from './authzen.ts'
import { hostParts, openSessions } from './hosts.ts'
import { createPolicyChecker } from './policy-thread.ts'
import { createSecretSource, readSecret } from './secrets.ts'
import { modelSecrets, openHostModels } from './model.ts'
import { openJavaScript, openShell } from './shell.ts'
import { ServerError } from './error.ts'
import { checkState } from './state/check-state.ts'
import { writeExport } from './state/export-writer.ts'
import { makeDirectory } from './state/make-directory.ts'
import { openKeys } from './state/keys.ts'
import { openUpstreamServers } from './upstream-servers.ts'
import { openProjectMeters } from './project-meters.ts'
import { createSteadyClock } from './steady-clock.ts'
import { type HostWatch, watchHosts } from './watch-hosts.ts'
import { startWitnessing } from './witnessing.ts'

/** A Tidegate that runs, with what belongs to it. */
export interface Composition {
  readonly tidegate: StartedTidegate
  /** Decisions for others. */
  readonly authzen: AuthZen
  readonly registry: Registry
  /** Agent programs that are not ours, as the project lists them. */
  readonly project: Project
  /** The way to the models of hosts, where the project names any. */
  readonly models: ModelProxy | undefined
  /** Seals what MCP clients hand back to us. */
  readonly mcpSecret: Uint8Array
  readonly clock: Clock
  readonly stateDirectory: string
  /** What only we can look at. */
  readonly doctor: ReturnType<typeof createDoctor>
  /** Looks after the hosts; undefined when there are none. */
  readonly hostWatch: HostWatch | undefined
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
  const { configuration, project } = ground
  const stateDirectory = resolve(project, configuration.store.directory)
  const clock = createSteadyClock(systemClock)
  const upstream = await openUpstreamServers({ ...ground, stateDirectory, clock })
  try {
    return await composeWith(ground, { stateDirectory, clock, upstream })
  } catch (error) {
    await upstream.close()
    throw error
  }
}

/** What is there before the project is loaded: its upstream servers say which operations it has. */
interface Before {
  readonly stateDirectory: string
  readonly clock: ReturnType<typeof createSteadyClock>
  readonly upstream: McpTools
}

async function composeWith(ground: Ground, { stateDirectory, clock, upstream }: Before): Promise<Composition> {
  const { configuration, project, log } = ground
  const prepared = prepareAuthZen(project, configuration)
  const builtin = builtinDeclarations(configuration, [prepared.part])
  const shell = openShell({ configuration, project, stateDirectory })
  const models = openHostModels(configuration)
  const javascript = openJavaScript(configuration)
  const moreTools = [...[shell, javascript, models].filter((each) => each !== undefined), ...upstream.tools()]
  const loaded = await loadProject(project, { configuration, builtin, hostTools: hostToolsOf, moreTools })
  const claims = createClaims({ clock })
  const hosted = hostParts(loaded, claims)
  const planned = [...plannedWorkflows(ground, loaded), ...hosted.workflows]
  const tools = [...loaded.tools, ...hosted.tools]
  createRegistry(tools, planned)
  const checker = createPolicyChecker()
  const loader = createPolicyLoader(loaded.schema, checker.check)
  await checkPolicies(loader, loaded)
  const { journal: stored, keys } = await openJournal(stateDirectory, configuration)
  const { ledger } = stored
  const stop: (() => void)[] = []
  try {
    const meters = await openProjectMeters(loaded, {
      ...{ journal: stored, keys, clock, log },
      snapshot: join(stateDirectory, 'journal.meters'),
    })
    const { journal } = meters
    const control = await openControl(journal, clock)
    const witnessing = await startWitnessing({ configuration, clock, ledger, log })
    if (witnessing !== undefined) stop.push(witnessing.stop)
    const store = await openPolicies(loaded, { journal, control, loader, log })
    const { operations } = loaded
    const parts = [...createBuiltinParts({ configuration, journal, control, store, operations }), prepared.part]
    const registry = createRegistry([...tools, builtinTool(parts)], [...planned, ...builtinWorkflows(parts)])
    await recordDeclarations(loaded, {
      control,
      store,
      registry,
      log,
      foreign: new Set(upstream.tools().map(({ name }) => name)),
    })
    await control.append(
      [{ type: 'server.started', version: ground.version, policyVersion: store.version, configuration: configuration.name }],
      { raisesEpoch: false },
    )
    const [started] = await journal.read('control', control.state.seq - 1)
    clock.notBefore(started?.atMs ?? 0)
    checker.moveToThreads()
    const shown = witnessing === undefined ? { ledger } : { ledger: witnessing.ledger, beforeExport: witnessing.show }
    const opened = { ...shown, journal, keys, clock, control, meters, registry, store, parts, claims }
    const tidegate = await startTidegate(partsOf(ground, loaded, opened))
    if (configuration.retention !== undefined)
      stop.push(startRetention({ journal, control, clock, log }, configuration.retention.payloads))
    const { hostDesk: desk } = tidegate
    const hostWatch = desk === undefined ? undefined : watchHosts({ desk, configuration, stateDirectory, control, clock, log })
    if (hostWatch !== undefined) stop.push(hostWatch.stop)
    const close = async (): Promise<void> => {
      for (const each of stop) each()
      await meters.save()
      await tidegate.close()
      await shell?.close()
      await javascript?.close()
      await upstream.close()
    }
    const authzen = prepared.start({ tidegate, clock, control, stateDirectory })
    const mcpSecret = deriveSecret(keys.masterKey, 'mcp')
    const doctor = createDoctor({ shell, upstream })
    return { tidegate, authzen, registry, project: loaded, models, mcpSecret, clock, stateDirectory, doctor, hostWatch, close }
  } catch (error) {
    for (const each of stop) each()
    await stored.close()
    throw error
  }
}

/** Everything a Tidegate is started with, once it is open. */
interface Ready extends Opened {
  readonly keys: JournalKeys
  readonly clock: Clock
  readonly meters: Meters
  readonly ledger: LedgerReader
  readonly beforeExport?: () => Promise<void>
  readonly parts: readonly BuiltinPart[]
  readonly claims: Claims
}

function partsOf(
  { project, configuration, environment, log }: Ground,
  { schema, hosts }: Project,
  { journal, keys, clock, control, meters, registry, store, ledger, beforeExport, parts, claims }: Omit<Ready, 'loader' | 'log'>,
): TidegateParts {
  const sessions = openSessions(journal, registry, keys.masterKey)
  const timeFacts = createTimeFacts({ timeZone: configuration.timeZone })
  const noMeters = Object.fromEntries(schema.meters.map((name) => [name, 0]))
  return {
    ...{ journal, control, registry, clock, log, meters, ledger, writeExport, timeFacts },
    ...{ entropy: nodeEntropy, hasher: nodeHasher, verifier: nodeVerifier },
    policy: withBuiltinPolicy(store, parts),
    secrets: createSecretSource({ project, secrets: { ...configuration.secrets, ...modelSecrets(configuration) }, environment }),
    breakers: createBreakerPanel({ control, clock, log }),
    inFlight: createInFlight(),
    ...(beforeExport === undefined ? {} : { beforeExport }),
    labels: createLabels(registry, sessions),
    ...(hosts.length === 0 ? {} : { claims, hosts: { hosts, sessionsOfHosts: sessions, claimsOfHosts: claims } }),
    taint: openTaint({ ledger, hasher: nodeHasher, salt: deriveSecret(keys.masterKey, 'taint') }),
    rolesOf: rolesIn(configuration),
    quarantined: createQuarantine(control, registry.operations),
    changes: {
      store,
      reviewers: configuration.changes?.reviewers ?? [],
      judged: (engine) => withBuiltinPolicy(engine, parts),
      facts: (nowMs) => ({ time: timeFacts(nowMs), meters: noMeters }),
    },
  }
}

/** Refuses policies on disk that would have to come into force with this start, before anything is opened. */
async function checkPolicies(loader: PolicyLoader, { configuration, policyFiles }: Project): Promise<void> {
  if (configuration.changes !== undefined) return // then what is recorded is in force, whatever is on disk
  const isBuiltin = ({ layer }: (typeof policyFiles)[number]): boolean => layer === 'builtin'
  const ordered = [...policyFiles.filter(isBuiltin), ...policyFiles.filter((file) => !isBuiltin(file))]
  const loading = await loader.load(ordered) // as the store will load them
  if (loading.kind === 'refused') throw loading.cause
}

/** What is opened for a Tidegate, one after the other. */
interface Opened {
  readonly journal: Journal
  readonly control: Control
  readonly loader: PolicyLoader
  readonly store: PolicyStore
  readonly registry: Registry
  readonly log: Log
}

function openPolicies(
  { configuration, policyFiles }: Project,
  { journal, control, loader, log }: Pick<Opened, 'journal' | 'control' | 'loader' | 'log'>,
): Promise<PolicyStore> {
  const of = (isBuiltin: boolean) => policyFiles.filter(({ layer }) => (layer === 'builtin') === isBuiltin)
  return openPolicyStore({
    ...{ journal, control, loader, log, hasher: nodeHasher },
    onDisk: of(false),
    builtin: of(true),
    reviewed: configuration.changes !== undefined,
  })
}

/** Records what is declared, with what the models of its workflows are told. */
function recordDeclarations(
  { configuration, workflows }: Project,
  {
    control,
    store,
    registry,
    log,
    foreign,
  }: Pick<Opened, 'control' | 'store' | 'registry' | 'log'> & {
    readonly foreign: ReadonlySet<string>
  },
): Promise<void> {
  const prompts = new Map(
    workflows.flatMap(({ workflow, agent }) =>
      agent === undefined ? [] : [[workflow.name, agentPrompt(agent, workflow)] as const],
    ),
  )
  return recordProject({
    ...{ control, log, hasher: nodeHasher, history: store.history, operations: registry.operations },
    workflows: registry.workflows.map((workflow) => {
      const prompt = prompts.get(workflow.name)
      return { workflow, ...(prompt === undefined ? {} : { prompt }) }
    }),
    reviewed: configuration.changes !== undefined,
    foreign,
  })
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

async function openJournal(
  directory: string,
  configuration: Configuration,
): Promise<{ readonly journal: SqliteJournal; readonly keys: JournalKeys }> {
  checkState(directory)
  const keys = openKeys(directory, `${configuration.trustDomain}/${configuration.name}`)
  try {
    makeDirectory(directory, 0o700)
  } catch (cause) {
    throw new ServerError('state_unusable', `The state directory ${directory} cannot be made.`, { cause })
  }
  const journal = await openThreadedJournal({
    file: join(directory, 'journal.db'),
    ...createWriterParts(keys),
    partsModule: new URL(import.meta.resolve('@tidegate/crypto-node/writer-parts')),
    partsData: keys,
  })
  return { journal, keys }
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
