import {
  canonicalJson,
  effectsStanding,
  type ExportFile,
  type JsonObject,
  type LedgerReader,
  runStateName,
  type RunHead,
  type RunOpened,
  type RunState,
  runToOpen,
  type SignatureVerifier,
  utf8Length,
  type Workflow,
} from '@tidegate/kernel'
import type { Person, ResolveAnswer, Tidegate, TriggerAnswer, TriggerRequest, UndoAnswer } from './api.ts'
import { createAgentSource } from './authzen/agent-source.ts'
import type { DecisionSource } from './authzen/port.ts'
import { castVote, runOfApproval, viewOf } from './desk/approvals.ts'
import { type ChangeParts, createChangeDesk } from './desk/changes.ts'
import { calibrate } from './desk/calibration.ts'
import { listApprovals, listQueue } from './desk/lists.ts'
import { endorse } from './desk/endorse.ts'
import { exportOf, receiptOf, verifyLedger } from './desk/ledger.ts'
import { liftStop, OPERATOR, raiseStop } from './desk/stops.ts'
import { withdrawQuestion } from './desk/withdraw.ts'
import { commit } from './harness/commit.ts'
import { createHarness, type Harness } from './harness/harness.ts'
import { createHostDesk, type HostDeskParts } from './host/desk.ts'
import { headOf } from './harness/head.ts'
import type { HarnessParts } from './harness/parts.ts'
import { createUlid } from './id.ts'
import type { WorkflowWithPlanner } from './registry.ts'

/** What a Tidegate is made of; the composition root or a test brings each. */
export interface TidegateParts extends HarnessParts {
  readonly ledger: LedgerReader
  readonly verifier: SignatureVerifier
  /** Called before an export: lets a witness sign the newest checkpoint first. */
  readonly beforeExport?: () => Promise<void>
  /** Writes the files of an export below a directory that is empty or absent; answers how many. */
  readonly writeExport: (directory: string, files: Iterable<ExportFile>) => Promise<number>
  /** Lets policies and tools be changed while it runs; without it they stay as they were at the start. */
  readonly changes?: ChangeParts
  /** Lets agents that are not ours in; needs the claims of {@link HarnessParts} to be these. */
  readonly hosts?: Pick<HostDeskParts, 'hosts' | 'sessionsOfHosts' | 'claimsOfHosts'>
}

/** The largest input of a run, as canonical JSON in bytes. */
export const INPUT_MAX_BYTES = 1_048_576

/** A Tidegate, with what only our own code may use. */
export interface StartedTidegate extends Tidegate {
  readonly harness: Harness
  /** Opens a run of any workflow, internal ones too; once per event, as {@link Tidegate.trigger} does. */
  openInternal(request: TriggerRequest): Promise<TriggerAnswer>
  /** Refuses the open question of a run in the name of whoever asked it; false when none is open. */
  withdraw(run: string, by: string): Promise<boolean>
  /** Decides for governed agents as a run would, and does nothing. */
  readonly decisions: DecisionSource
}

/** Starts a Tidegate on an open journal: whatever a crash left behind is taken up again. */
export async function startTidegate(parts: TidegateParts): Promise<StartedTidegate> {
  const harness = createHarness(parts)
  for (const head of await parts.journal.openRuns()) harness.advance(head.run)
  const openInternal = (request: TriggerRequest): Promise<TriggerAnswer> => trigger(parts, harness, request, 'inside')
  const changes =
    parts.changes === undefined
      ? undefined
      : createChangeDesk({ ...parts, ...parts.changes, open: openInternal, undo: (run, why) => undo(parts, harness, run, why) })

  const rules = () => parts.changes?.store.inForce.set.rules ?? []
  return {
    harness,
    ...(changes === undefined ? {} : { changes }),
    ...(parts.hosts === undefined ? {} : { hostDesk: createHostDesk({ ...parts, ...parts.hosts, rules }, harness) }),
    trigger: (request) => trigger(parts, harness, request, 'outside'),
    openInternal,
    withdraw: (run, by) => withdrawQuestion(parts, harness, run, by),
    decisions: createAgentSource({ ...parts, load: harness.load }),
    runs: (query) => parts.journal.runs(query),
    run: (id) => harness.load(id),
    settled: (id, timeoutMs) => settled(parts, harness, id, timeoutMs),
    approvals: ({ state = 'open' }) => listApprovals(parts, harness, state),
    async approval(id) {
      const run = await harness.load(runOfApproval(id))
      const approval = run?.approvals.get(id)
      return run === undefined || approval === undefined ? undefined : viewOf(parts, run, approval)
    },
    vote: (id, ballot) => castVote(parts, harness, id, ballot),
    endorse: (run, request) => endorse(parts, harness, run, request),
    async stop(request) {
      const answer = await raiseStop(parts, request)
      if (answer.kind === 'stopped') for (const head of await parts.journal.openRuns()) harness.advance(head.run)
      return answer
    },
    async lift(request) {
      const answer = await liftStop(parts, request)
      if (answer.kind === 'lifted') for (const head of await parts.journal.openRuns()) harness.advance(head.run)
      return answer
    },
    stops: () => parts.control.state.stops,
    undo: (run, request) => undo(parts, harness, run, request),
    queue: ({ all }) => listQueue(parts, harness, all),
    calibration: (workflow) => calibrate(parts, workflow),
    limits: () => parts.meters.view(parts.clock.nowMs()),
    resolve: (item, request) => resolveItem(parts, harness, item, request),
    ledgerHead: () => parts.journal.head(),
    ledgerVerify: () => verifyLedger(parts),
    receipt: async (of) => receiptOf(parts, of),
    async exportLedger(directory, options) {
      await parts.beforeExport?.()
      const { size, files } = exportOf(parts, options)
      return { size, files: await parts.writeExport(directory, files) }
    },
    operations: () => parts.registry.operations,
    workflows: () => parts.registry.workflows,
    async close() {
      await harness.close()
      await parts.journal.close()
    },
  }
}

/** Opens a run for an event, once per event (I4 begins at the door): the claim on the event and the run are one record. */
async function trigger(
  parts: HarnessParts,
  harness: Harness,
  request: TriggerRequest,
  from: 'inside' | 'outside',
): Promise<TriggerAnswer> {
  const entry = parts.registry.workflow(request.workflow)
  if (entry === undefined || (entry.internal === true && from === 'outside')) {
    const isOpen = ({ name }: Workflow): boolean => parts.registry.workflow(name)?.internal !== true
    const known = parts.registry.workflows
      .filter(isOpen)
      .map((workflow) => workflow.name)
      .join(', ')
    return {
      kind: 'refused',
      code: 'unknown_workflow',
      message: `there is no workflow "${request.workflow.slice(0, 80)}"; there are: ${known}`,
    }
  }
  const problem = inputProblem(request.input, entry)
  if (problem !== undefined) return { kind: 'refused', ...problem }
  if (request.source.startsWith('tidegate:') && from === 'outside') {
    return { kind: 'refused', code: 'invalid_input', message: 'sources that begin with "tidegate:" are our own' }
  }
  const claim = canonicalJson([request.source, request.event])
  return open(parts, harness, { entry: entry.workflow, claim, request, undoes: null, undo: [] })
}

function inputProblem(
  input: JsonObject,
  { parseInput }: WorkflowWithPlanner,
): { code: 'input_too_large' | 'invalid_input'; message: string } | undefined {
  try {
    if (utf8Length(canonicalJson(input)) > INPUT_MAX_BYTES) {
      return { code: 'input_too_large', message: `the input of a run has at most ${INPUT_MAX_BYTES} bytes` }
    }
    const shaped = parseInput?.(input)
    if (shaped === undefined || shaped.ok) return undefined
    return { code: 'invalid_input', message: shaped.issues.map((issue) => `${issue.path}: ${issue.message}`).join('; ') }
  } catch (error) {
    return { code: 'invalid_input', message: error instanceof Error ? error.message : 'the input is not JSON' }
  }
}

interface Opening {
  readonly entry: Workflow
  readonly claim: string
  readonly request: Pick<TriggerRequest, 'source' | 'event' | 'input' | 'user' | 'client'>
  readonly undoes: string | null
  readonly undo: ReturnType<typeof effectsStanding>
}

async function open(
  parts: HarnessParts,
  harness: Harness,
  { entry, claim, request, undoes, undo }: Opening,
): Promise<{ kind: 'opened' | 'duplicate'; run: string }> {
  const run = createUlid(parts.clock, parts.entropy)
  const event: RunOpened = {
    type: 'run.opened',
    run,
    workflow: entry.name,
    workflowVersion: entry.version,
    agent: entry.agent,
    actors: [request.user, request.client],
    trigger: { source: request.source, event: request.event },
    environment: entry.environment,
    stage: entry.stage,
    policyVersion: parts.policy.version,
    undoes,
    sealed: { input: request.input, undo },
  }
  const started = await harness.start(runToOpen(event, parts.clock.nowMs()), claim)
  return started.kind === 'opened' ? { kind: 'opened', run } : { kind: 'duplicate', run: started.stream.slice('run/'.length) }
}

/** Opens a run that takes back what a finished one did: governed, recorded and undone like any other. */
async function undo(
  parts: HarnessParts,
  harness: Harness,
  id: string,
  { person, why }: { person: Person; why: string },
): Promise<UndoAnswer> {
  const refuse = (code: Extract<UndoAnswer, { kind: 'refused' }>['code'], message: string): UndoAnswer => ({
    kind: 'refused',
    code,
    message,
  })
  if (!person.roles.includes(OPERATOR)) return refuse('not_entitled', `only the role ${OPERATOR} may undo a run`)
  const state = await harness.load(id)
  const entry = state === undefined ? undefined : parts.registry.workflow(state.opened.workflow)
  if (state === undefined || entry === undefined) return refuse('not_found', `there is no run ${id}`)
  if (state.phase !== 'finished') return refuse('not_finished', 'the run is still going on; stop it first')
  if (state.undoneBy !== null) return refuse('already_undone', `run ${state.undoneBy} has undone it`)
  const effects = state.opened.undoes === null ? effectsStanding(state) : []
  if (effects.length === 0) return refuse('nothing_to_undo', 'nothing that this run did is still standing')
  const request = { source: 'tidegate:undo', event: id, input: { undoes: id, why }, user: person.id, client: 'client:tidegate' }
  const opened = await open(parts, harness, {
    entry: entry.workflow,
    claim: canonicalJson(['tidegate:undo', id]),
    request,
    undoes: id,
    undo: effects,
  })
  if (opened.kind === 'duplicate')
    return refuse('already_undone', `run ${opened.run} is undoing it, or has tried; see tidegate queue`)
  return { kind: 'opened', run: opened.run, effects: effects.length }
}

function resolveItem(
  parts: HarnessParts,
  harness: Harness,
  id: string,
  { person, why }: { person: Person; why: string },
): Promise<ResolveAnswer> {
  return harness.exclusively(runOfApproval(id), async (state) => {
    const item = state?.items.get(id)
    if (!person.roles.includes(OPERATOR))
      return { kind: 'refused', code: 'not_entitled', message: `only the role ${OPERATOR} may clear the queue` }
    if (state === undefined || item === undefined)
      return { kind: 'refused', code: 'not_found', message: `there is no item ${id}` }
    if (item.resolvedBy !== null)
      return { kind: 'refused', code: 'already_resolved', message: `${item.resolvedBy} has resolved it` }
    await commit(parts, state, [{ type: 'queue.resolved', item: id, by: person.id, sealed: { why } }])
    return { kind: 'resolved' }
  })
}

/** True when a run does nothing by itself for a while: at rest, waiting for a person, or held by a stop that is in force. */
function isSettled(parts: HarnessParts, state: RunState): boolean {
  const name = runStateName(state)
  const held = parts.control.state.stops.some((stop) => stop.id === state.held?.stop)
  return held || (name !== 'running' && name !== 'undoing')
}

async function settled(parts: HarnessParts, harness: Harness, id: string, timeoutMs: number): Promise<RunHead | undefined> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const unwatch = harness.watch((state) => {
    if (state.opened.run === id && isSettled(parts, state)) resolve()
  })
  const cancel = parts.clock.at(parts.clock.nowMs() + Math.min(timeoutMs, 300_000), resolve)
  try {
    const now = await harness.load(id)
    if (now === undefined) return undefined
    if (!isSettled(parts, now)) await promise
    const then = await harness.load(id)
    return then === undefined ? undefined : headOf(then)
  } finally {
    unwatch()
    cancel()
  }
}
