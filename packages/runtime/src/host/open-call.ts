import {
  canonicalJson,
  type HostCallMark,
  isObject,
  type RunOpened,
  type RunState,
  runToOpen,
  utf8Length,
} from '@tidegate/kernel'
import type { HarnessParts } from '../harness/parts.ts'
import { createUlid } from '../id.ts'
import { digestOfCall, eventOfCall } from './call-identity.ts'
import { hostSource, hostWorkflowName, modelWorkflowName } from './call-workflow.ts'
import type { First } from './follow.ts'
import type { HostCall, HostDeclaration } from './host.ts'
import { type Session, unparkRun } from './sessions.ts'

/** The largest arguments of a call, as canonical JSON in bytes. */
const MAX_ARGUMENTS = 1_048_576
/** An answer that nobody took is kept for the same action so long. */
const KEPT_MS = 600_000
const MAX_ID = 200

/** What makes a call one that cannot even be recorded; undefined for most. */
export function problemOf({ session, call, arguments: args }: HostCall): string | undefined {
  const isId = (text: string): boolean => text !== '' && text.length <= MAX_ID
  if (!isId(session) || !isId(call)) return `the session and the call have names of 1 to ${MAX_ID} characters`
  if (!isObject(args)) return 'the arguments are an object'
  try {
    const bytes = utf8Length(canonicalJson(args))
    return bytes > MAX_ARGUMENTS ? `the arguments of a call have at most ${MAX_ARGUMENTS} bytes, not ${bytes}` : undefined
  } catch (error) {
    return error instanceof Error ? error.message : 'the arguments are not JSON'
  }
}

/** D3: the run of the same call, or of the same action when nobody has taken its answer. */
export async function earlierRun(
  parts: Pick<HarnessParts, 'registry' | 'hasher' | 'clock'>,
  {
    load,
    opening,
  }: { readonly load: (run: string) => Promise<RunState | undefined>; readonly opening: ReadonlyMap<string, unknown> },
  session: Session,
  request: HostCall,
): Promise<First | undefined> {
  // After a restart the ledger knows a call by its event only.
  const same =
    session.calls.get(request.call) ??
    (session.events.size === 0
      ? undefined
      : session.events.get(eventOfCall(parts.hasher, { session: session.id, call: request.call })))
  if (same !== undefined) return { kind: 'known', run: same }
  const digest = session.parked.size === 0 ? undefined : digestOfCall(parts, request)
  if (digest === undefined) return undefined
  for (const run of session.parked.get(digest) ?? []) {
    if (opening.has(run)) return { kind: 'known', run }
    const state = await load(run).catch(() => undefined)
    if (state !== undefined && isKept(state, parts.clock.nowMs())) return { kind: 'known', run }
    unparkRun(session, digest, run)
  }
  return undefined
}

/** What people have taken back is not an answer any more. */
function isKept({ phase, undoneBy, updatedAtMs }: RunState, nowMs: number): boolean {
  return phase !== 'finished' || (undoneBy === null && updatedAtMs + KEPT_MS > nowMs)
}

/** The run that had claimed the event of one that could not be written; undefined when there is none, and the store failed. */
export async function runBefore(
  { journal }: Pick<HarnessParts, 'journal'>,
  { state, claim }: Extract<First, { kind: 'new' }>,
): Promise<First | undefined> {
  const { opened, openedAtMs: atMs } = state
  const result = await journal.append({ stream: `run/${opened.run}`, expectedSeq: 0, events: [opened], atMs, claim })
  if (result.kind === 'claimed') return { kind: 'known', run: result.stream.slice('run/'.length) }
  return result.kind === 'committed' ? { kind: 'known', run: opened.run } : undefined
}

/** A new run for a call, not written yet. */
export function newRun(
  { clock, entropy, hasher, policy, registry }: HarnessParts,
  host: HostDeclaration,
  session: Session,
  { call, operation, arguments: args, goal = '', person, session: conversation }: HostCall,
  refused: HostCallMark['refused'],
): First {
  const asksModel = registry.find(operation)?.isPlanner === true
  const name = asksModel ? modelWorkflowName(host.name) : hostWorkflowName(host.name)
  const workflow = registry.workflow(name)?.workflow ?? registry.workflow(hostWorkflowName(host.name))?.workflow
  if (workflow === undefined) throw new Error(`The host ${host.name} has no workflow.`)
  const source = hostSource(host.name)
  // What a guard refuses is a run of its own: it must not be taken for the call whose name it bears.
  const named = { session: session.id, call, ...(refused === undefined ? {} : { refused: refused.id }) }
  const event = eventOfCall(hasher, named)
  const opened: RunOpened = {
    type: 'run.opened',
    run: createUlid(clock, entropy),
    workflow: workflow.name,
    workflowVersion: workflow.version,
    agent: host.agent,
    actors: [person ?? host.person, `client:${host.name}`],
    trigger: { source, event },
    environment: host.environment,
    stage: workflow.stage,
    policyVersion: policy.version,
    undoes: null,
    call: {
      host: host.name,
      session: session.id,
      ...(host.mode === 'observe' ? { observes: true } : {}),
      ...(refused === undefined ? {} : { refused }),
    },
    sealed: { input: { operation, arguments: args, goal: goal.slice(0, 2_000), session: conversation }, undo: [] },
  }
  return { kind: 'new', state: runToOpen(opened, clock.nowMs()), claim: canonicalJson([source, event]) }
}
