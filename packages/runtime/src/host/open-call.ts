import {
  actionDigest,
  canonicalJson,
  digestOf,
  type HostCallMark,
  isObject,
  type RunOpened,
  type RunState,
  runToOpen,
  utf8Length,
} from '@tidegate/kernel'
import type { HarnessParts } from '../harness/parts.ts'
import { createUlid } from '../id.ts'
import { hostWorkflowName, modelWorkflowName } from './call-workflow.ts'
import type { First } from './follow.ts'
import type { HostCall, HostDeclaration } from './host.ts'
import type { Session } from './sessions.ts'

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
  { registry, hasher, clock }: Pick<HarnessParts, 'registry' | 'hasher' | 'clock'>,
  load: (run: string) => Promise<RunState | undefined>,
  session: Session,
  { call, operation, arguments: args }: HostCall,
): Promise<First | undefined> {
  const same = session.calls.get(call)
  if (same !== undefined) return { kind: 'known', run: same }
  const declared = session.parked.size === 0 ? undefined : registry.find(operation)
  if (declared === undefined) return undefined
  const shaped = declared.input.parse(args)
  if (!shaped.ok) return undefined
  const digest = actionDigest(hasher, declared, shaped.value)
  const parked = session.parked.get(digest)
  if (parked === undefined) return undefined
  const state = await load(parked).catch(() => undefined)
  if (state !== undefined && (state.phase !== 'finished' || state.updatedAtMs + KEPT_MS > clock.nowMs()))
    return { kind: 'known', run: parked }
  session.parked.delete(digest)
  return undefined
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
  const source = `tidegate:host:${host.name}`
  const event = `${session.id}.${digestOf(hasher, { session: session.id, call }).slice(0, 32)}`
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
