import { globSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createCedarEngine, generateSchema } from '@tidegate/cedar'
import { nodeEntropy, nodeHasher, nodeVerifier, systemClock } from '@tidegate/crypto-node'
import { createWriterParts } from '@tidegate/crypto-node/writer-parts'
import { openThreadedJournal, type SqliteJournal } from '@tidegate/journal-sqlite'
import type { Clock, Log, Operation } from '@tidegate/kernel'
import { createOpenAiModel } from '@tidegate/model-openai'
import {
  createAgentPlanner,
  createBreakerPanel,
  createGraphPlanner,
  createInFlight,
  createRegistry,
  type Harness,
  type ModelUse,
  needsModel,
  openControl,
  type Registry,
  startTidegate,
  sweepRetention,
  type Tidegate,
  type Tool,
  type WorkflowWithPlanner,
} from '@tidegate/runtime'
import { resolveTool } from '@tidegate/tools'
import type { Configuration } from './configuration/schema.ts'
import { createSecretSource, readSecret } from './configuration/secrets.ts'
import { ServerError } from './error.ts'
import { checkState } from './state/check-state.ts'
import { writeExport } from './state/export-writer.ts'
import { makeDirectory } from './state/make-directory.ts'
import { openKeys } from './state/keys.ts'
import { createSteadyClock } from './steady-clock.ts'
import { startWitnessing } from './witnessing.ts'
import { loadWorkflow, parseInput, writeProblem } from './workflow-file/index.ts'

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
  const tools = await loadTools(ground)
  const registry = createRegistry(
    tools,
    loadWorkflows(
      ground,
      tools.flatMap((tool) => tool.operations),
    ),
  )
  const policy = loadPolicies(ground, registry)
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

async function loadTools({ project, configuration }: Ground): Promise<readonly Tool[]> {
  return Promise.all(
    configuration.tools.map(async ({ file, settings }) => {
      const path = resolve(project, file)
      let module: { tool?: unknown }
      try {
        module = (await import(pathToFileURL(path).href)) as { tool?: unknown }
      } catch (cause) {
        throw new ServerError(
          'tool_unusable',
          `The tool ${file} cannot be loaded: ${cause instanceof Error ? cause.message : 'unknown error'}`,
          { cause },
        )
      }
      return resolveTool(module.tool, { file, settings })
    }),
  )
}

function loadWorkflows(ground: Ground, operations: readonly Operation[]): readonly WorkflowWithPlanner[] {
  const { project, configuration } = ground
  const byId = new Map(operations.map((operation) => [operation.id, operation]))
  const problems: string[] = []
  const entries = filesOf(project, configuration.workflows, 'workflows').flatMap((file) => {
    const options = {
      file: relative(project, file),
      find: (id: string) => byId.get(id),
      declared: [...byId.keys()],
      environment: configuration.environment,
    }
    const loaded = loadWorkflow(readFileSync(file), options)
    if (!loaded.ok) {
      problems.push(...loaded.problems.map(writeProblem))
      return []
    }
    const model = modelUse(ground)
    const wantsModel = loaded.agent !== undefined || (loaded.graph !== undefined && needsModel(loaded.graph))
    if (wantsModel && model === undefined) {
      ground.log({
        level: 'info',
        message: `workflow ${loaded.workflow.name} is left out: its planner needs a model, and the configuration names none`,
      })
      return []
    }
    const planner =
      loaded.graph !== undefined
        ? createGraphPlanner({ graph: loaded.graph, ...(model === undefined ? {} : { model }) })
        : loaded.agent !== undefined && model !== undefined
          ? createAgentPlanner({ plan: loaded.agent, model })
          : undefined
    if (planner === undefined) return []
    return [
      {
        workflow: loaded.workflow,
        planner,
        parseInput: (input: Parameters<typeof parseInput>[1]) => parseInput(loaded.input, input),
      },
    ]
  })
  if (problems.length > 0)
    throw new ServerError('workflow_invalid', `Workflows are refused:\n${problems.slice(0, 20).join('\n')}`)
  return entries
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

function loadPolicies({ project, configuration }: Ground, registry: Registry) {
  const files = filesOf(project, configuration.policies, 'policies')
  const policies = files.map((file) => ({ file: relative(project, file), text: readFileSync(file, 'utf8') }))
  return createCedarEngine({ policies, schema: generateSchema(registry.operations, registry.workflows) })
}

/** The files that patterns name, in a stable order. */
function filesOf(project: string, patterns: readonly string[], what: string): readonly string[] {
  const files = [...new Set(patterns.flatMap((pattern) => globSync(pattern, { cwd: project })))]
    .sort()
    .map((file) => resolve(project, file))
  if (files.length === 0)
    throw new ServerError(
      'configuration_invalid',
      `The configuration names ${what} (${patterns.join(', ')}), but there is no such file.`,
    )
  return files
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
