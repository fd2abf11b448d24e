import {
  canonicalJson,
  type Clock,
  compileFlow,
  digestOf,
  type FindOperation,
  type FlowContext,
  foldRun,
  type Hasher,
  instruct,
  isObject,
  type Journal,
  type Json,
  observe,
  type Operation,
  openFlow,
  type RunOpened,
  type RunState,
} from '@tidegate/kernel'
import { observeRun } from '../harness/labels.ts'
import { flowOf, UNKNOWN_FLOW } from '../flow-of.ts'
import { digestOfCall } from './call-identity.ts'
import { hostSource, modelWorkflowName } from './call-workflow.ts'
import { UNREPORTED } from './claims.ts'

/** One conversation of a host: what the agent has been shown in it, and the calls that are not over. */
export interface Session {
  /** Keyed hash of the host and of its name for the conversation. */
  readonly id: string
  readonly host: string
  /** The host's name for a call -> its run. */
  readonly calls: Map<string, string>
  /** The trigger event of a call from before this start -> its run. */
  readonly events: Map<string, string>
  /** Digest of an action -> the runs whose answers nobody has taken yet, oldest first. */
  readonly parked: Map<string, readonly string[]>
}

/** Keeps the conversations of hosts, and their labels (I9): what one call has shown the agent taints those that come after it. */
export interface Sessions {
  open(host: string, name: string): Promise<Session>
  /** What the conversation of a call run has shown the agent; undefined when it is not known any more. */
  contextOf(opened: RunOpened): FlowContext | undefined
  /** Adds what a call has answered. */
  tell(session: Session, state: RunState): void
  /** The host may do this itself: from now on its agent may have seen what comes of it, whether we are told or not. */
  expect(session: Session, operation: string): void
  /** Adds what the agent was told. */
  heard(host: string, name: string, words: { readonly text: string; readonly from: 'user' | 'third-party' }): Promise<void>
}

export interface SessionParts {
  readonly journal: Pick<Journal, 'append' | 'claimed' | 'read'>
  readonly clock: Pick<Clock, 'nowMs'>
  readonly find: FindOperation
  readonly hasher: Hasher
  /** Hex; makes the ids of conversations worthless to whoever only has the ledger. */
  readonly salt: string
}

interface Kept extends Session {
  context: FlowContext
  task: readonly string[]
  /** True when the ledger says that it was told what a stranger wrote. */
  isHeard: boolean
}

const MAX_SESSIONS = 5_000
/** More than these are not told apart from those that are new. */
const MAX_DROPPED = 100_000
const MAX_CALLS = 1_000
/** So many answers are kept to trace arguments to; older ones are only remembered as taint. */
const MAX_SEEN = 200
const MAX_TASK_TEXTS = 50
/** So many of its newest runs are read when a conversation goes on after a restart. */
const MAX_EARLIER = 200
/** So many of them are called to mind; what came before is only remembered as taint. */
const MAX_REPLAYED = 60
const EARLIER = 'earlier calls of this conversation'
const NOTHING_SEEN = openFlow([])

/** Creates the conversations of one process. They are a fold of call runs, and are made again from these when one goes on after a restart. */
export function createSessions({ journal, clock, find, hasher, salt }: SessionParts): Sessions {
  const sessions = new Map<string, Kept>()
  /** Conversations of this start that are not kept any more: the runs from before it do not show what they have seen. */
  const dropped = new Set<string>()

  function idOf(host: string, name: string): string {
    return digestOf(hasher, { salt, host, session: name }).slice(0, 32)
  }

  async function open(host: string, name: string): Promise<Kept> {
    const id = idOf(host, name)
    const known = sessions.get(id)
    if (known !== undefined) {
      sessions.delete(id)
      sessions.set(id, known) // the one that was used last is forgotten last
      return known
    }
    const empty = dropped.has(id) || dropped.size >= MAX_DROPPED ? taintBy(openFlow([]), EARLIER) : openFlow([])
    const fresh = { id, host, calls: new Map(), events: new Map(), parked: new Map(), context: empty, task: [], isHeard: false }
    const restored = await restore(fresh)
    const meanwhile = sessions.get(id)
    if (meanwhile !== undefined) return meanwhile
    sessions.set(id, restored)
    const [oldest] = sessions.keys()
    if (sessions.size > MAX_SESSIONS && oldest !== undefined) {
      sessions.delete(oldest)
      if (dropped.size < MAX_DROPPED) dropped.add(oldest)
    }
    return restored
  }

  /** Calls to mind what the ledger knows of a conversation: nearly always nothing, for it has just begun. */
  async function restore(session: Kept): Promise<Kept> {
    const prefix = canonicalJson([hostSource(session.host), `${session.id}.`]).slice(0, -2)
    const streams = await journal.claimed(prefix, MAX_EARLIER)
    const found: { readonly index: number; readonly state: RunState }[] = []
    let isWhole = streams.length < MAX_EARLIER
    for (const stream of streams) {
      const entries = await journal.read(stream)
      const [first] = entries
      const state = first === undefined || entries.some(({ erased }) => erased) ? undefined : foldRun(entries)
      if (first === undefined || state === undefined) isWhole = false
      else if (state.opened.workflow !== modelWorkflowName(session.host)) found.push({ index: first.index, state })
      if (found.length < MAX_REPLAYED) continue
      isWhole = false
      break
    }
    const heard = await journal.read(streamOf(session))
    session.isHeard = heard.length > 0
    if (!isWhole || session.isHeard) session.context = taintBy(session.context, EARLIER)
    // In the order of the ledger: names of runs of one millisecond have none.
    for (const { state } of found.toSorted((a, b) => a.index - b.index)) recall(session, state)
    return session
  }

  /**
   * Adds a run of an earlier life. Nobody knows what became of its answer: an effect of ours counts as one that nobody has taken. What was
   * permitted and not told may have been seen; and what a decision once knew to be tainted stays so (I9), even if the reason is lost.
   */
  function recall(session: Kept, state: RunState): void {
    tell(session, state)
    const { opened } = state
    if (opened.call?.refused === undefined) session.events.set(opened.trigger.event, opened.run)
    const [action] = state.actions
    if (action === undefined) {
      const digest = digestProposed(state)
      if (state.phase !== 'finished' && digest !== undefined) parkRun(session, digest, opened.run)
      return
    }
    const { digest, operation, effect } = action.proposed
    const isOurs = action.state === 'done' && !isReport(action.output)
    const isUnsure = action.state === 'started' || action.state === 'ambiguous' || action.found === 'unknown' || action.doubt
    if (state.phase === 'finished' && digest !== null && effect && (isOurs || isUnsure))
      parkRun(session, digest, state.opened.run)
    // An attempt without an outcome may have been answered all the same (H5), whatever became of the ones behind it.
    const isAttempted = action.attempts > 0 && action.state !== 'done' && action.state !== 'undone'
    if (isUnsure || isAttempted) session.context = taintBy(session.context, operation)
    for (const source of action.decision?.facts?.flow?.sources ?? [])
      if (!session.context.sources.includes(source)) session.context = taintBy(session.context, source)
  }

  /** What a call that was opened and not proposed yet will be: it is taken up by the same action like any other. */
  function digestProposed({ opened }: RunState): string | undefined {
    const { input } = opened.sealed
    if (opened.call?.refused !== undefined || !isObject(input) || typeof input.operation !== 'string') return undefined
    const call = { operation: input.operation, arguments: input.arguments ?? null }
    return find(call.operation)?.isPlanner === true ? undefined : digestOfCall({ registry: { find }, hasher }, call)
  }

  /** Once for each conversation: whoever takes it up after a crash finds it tainted, and need not know by what. */
  async function recordHeard(session: Kept): Promise<void> {
    if (session.isHeard) return
    const events = [{ type: 'session.heard', host: session.host, from: 'third-party' }] as const
    await journal.append({ stream: streamOf(session), expectedSeq: 0, events, atMs: clock.nowMs() }) // a conflict: it is there
    session.isHeard = true
  }

  function keptOf(session: Session): Kept {
    return sessions.get(session.id) ?? (session as Kept) // sound: every session is made here
  }

  function tell(session: Session, state: RunState): void {
    const kept = keptOf(session)
    const [action] = state.actions
    const operation = action === undefined ? undefined : find(action.proposed.operation)
    if (operation?.isPlanner === true) return // I9: the agent's own words are evidence of nothing
    const { digest } = action?.proposed ?? { digest: null }
    if (state.phase !== 'finished' && digest !== null) parkRun(kept, digest, state.opened.run)
    if (action !== undefined && operation !== undefined && action.output !== null && isUnreported(action.output)) {
      kept.context = notReported(kept.context, operation)
    } else kept.context = observeRun(kept.context, state, find)
    kept.context = bounded(kept.context)
  }

  return {
    open,
    contextOf({ call, workflow }) {
      if (call === undefined) return undefined
      // Asking the model is how the agent comes to its words; labels are about the calls that these lead to.
      return workflow === modelWorkflowName(call.host) ? NOTHING_SEEN : sessions.get(call.session)?.context
    },
    tell,
    expect(session, id) {
      const kept = keptOf(session)
      const operation = find(id)
      if (operation !== undefined && operation.isPlanner !== true) kept.context = bounded(notReported(kept.context, operation))
    },
    async heard(host, name, { text, from }) {
      const session = await open(host, name)
      if (from === 'user') {
        session.task = [...session.task, text].slice(-MAX_TASK_TEXTS)
        session.context = instruct(session.context, session.task)
        return
      }
      session.context = bounded(observe(session.context, { source: 'heard', output: { text }, flow: UNKNOWN_FLOW }))
      await recordHeard(session)
    },
  }
}

/** Remembers the run of a call, and forgets the oldest when there are too many. */
export function rememberCall(session: Session, call: string, run: string): void {
  session.calls.set(call, run)
  const [oldest] = session.calls.keys()
  if (session.calls.size > MAX_CALLS && oldest !== undefined) session.calls.delete(oldest)
}

/** Keeps a run for whoever asks for the same action again. */
export function parkRun({ parked }: Session, digest: string, run: string): void {
  const runs = parked.get(digest) ?? []
  if (!runs.includes(run)) parked.set(digest, [...runs, run])
}

/** Its answer is taken, or it is not one that anybody may take up. */
export function unparkRun({ parked }: Session, digest: string, run: string): void {
  const left = (parked.get(digest) ?? []).filter((other) => other !== run)
  if (left.length === 0) parked.delete(digest)
  else parked.set(digest, left)
}

function streamOf({ id }: Session): string {
  return `session/${id}`
}

/** What a host tells of a call that it did itself. */
function isReport(output: Json): boolean {
  return isObject(output) && typeof output.reported === 'boolean'
}

function isUnreported(output: Json): boolean {
  return isObject(output) && output.reported === UNREPORTED.reported
}

/** Something came of it, and nobody knows what. */
function notReported(context: FlowContext, operation: Operation): FlowContext {
  return observe(context, { source: operation.id, output: { output: 'not reported' }, flow: flowOf(operation) })
}

function taintBy(context: FlowContext, source: string): FlowContext {
  return observe(context, { source, output: { text: 'not known any more' }, flow: compileFlow({ mutability: 'read' }) })
}

/** What is forgotten can no longer vouch for an argument; the taint that it brought stays. */
function bounded(context: FlowContext): FlowContext {
  return context.seen.length <= MAX_SEEN ? context : { ...context, seen: context.seen.slice(-MAX_SEEN) }
}
