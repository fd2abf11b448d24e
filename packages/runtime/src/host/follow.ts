import type { Clock, Json, RunState } from '@tidegate/kernel'
import type { Harness } from '../harness/harness.ts'
import { answerOf, questionOf, wouldOf } from './answer.ts'
import type { Claims } from './claims.ts'
import type { HostAnswer, HostCall, HostPatience } from './host.ts'

/** A call run that is to be followed: one that is there, or one that is still to be written. */
export type First =
  | { readonly kind: 'known'; readonly run: string }
  | { readonly kind: 'new'; readonly state: RunState; readonly claim: string }

/** What whoever made the call waits for: that the host may do it, a ticket, or the result. */
export type Wanted = HostCall['by'] | 'result'

export interface FollowParts {
  readonly harness: Pick<Harness, 'open' | 'advance' | 'load'>
  readonly claims: Claims
  readonly clock: Clock
  /** Calls back with every state of a run; the answer ends it. */
  /** Runs whose first record is being written, until they rest or wait. */
  readonly opening: Map<string, Promise<void>>
  readonly listen: (run: string, listener: (state: RunState) => void) => () => void
}

/** An answer, with the last state of the run that is known. */
export interface Followed {
  readonly answer: HostAnswer
  readonly state?: RunState
}

/** A decision takes no longer than this, whatever is waited for. */
const DECIDED_MS = 20_000

/** The run was not written: another one had claimed the same event, or the store failed. */
export const NOT_WRITTEN = 'not_written'

/**
 * Drives a call run and waits until there is something to say. While we wait, and only then, it may start (D2); what it then
 * does goes on when nobody waits any more, and its answer is kept.
 */
export async function follow(
  parts: FollowParts,
  first: First,
  wants: Wanted,
  patience: HostPatience,
): Promise<Followed | typeof NOT_WRITTEN> {
  const { claims, clock } = parts
  const run = first.kind === 'known' ? first.run : first.state.opened.run
  const { promise, resolve, reject } = Promise.withResolvers<Followed | typeof NOT_WRITTEN>()
  let last: RunState | undefined
  let asked: string | undefined
  let isLate = false
  let isAnswered = false
  const look = (state: RunState): void => {
    last = state
    const answer = answerOf(state, wants)
    if (answer !== undefined) {
      isAnswered = true
      resolve({ answer, state })
    }
    const question = questionOf(state)
    if (question !== undefined && isLate) giveUp()
    if (question === undefined || question.approval === asked) return
    asked = question.approval
    patience.onAsked?.({ run, ...question })
  }
  const giveUp = (): void => resolve(unfinished(run, last))
  /** The patience is for people and for what is being done; a decision is always waited for. */
  const late = (): void => {
    isLate = true
    if (last !== undefined && (questionOf(last) !== undefined || last.actions[0]?.state === 'started')) giveUp()
  }
  const nowMs = clock.nowMs()
  const ends = [
    parts.listen(run, look),
    clock.at(nowMs + patience.waitMs, late),
    clock.at(nowMs + Math.max(patience.waitMs, DECIDED_MS), giveUp),
    ...(wants === 'tidegate' ? [] : [claims.hold(run)]),
    ...(wants === 'host' ? [claims.onPermit(run, (args) => resolve(permitted(parts, first, args)))] : []),
  ]
  patience.signal?.addEventListener('abort', giveUp, { once: true })
  try {
    if (patience.signal?.aborted === true) giveUp()
    else begin(parts, first, { look, missing: () => resolve(NOT_WRITTEN), isAnswered: () => isAnswered }).catch(reject)
    return await promise
  } finally {
    patience.signal?.removeEventListener('abort', giveUp)
    for (const end of ends) end()
  }
}

async function begin(
  { harness, opening }: FollowParts,
  first: First,
  {
    look,
    missing,
    isAnswered,
  }: { readonly look: (state: RunState) => void; readonly missing: () => void; readonly isAnswered: () => boolean },
): Promise<void> {
  if (first.kind === 'new') {
    const { run } = first.state.opened
    const opened = harness.open(first.state, first.claim).finally(() => opening.delete(run))
    opening.set(run, opened)
    await opened
    if (isAnswered()) return // by a state that the journal holds: most calls are never read back
    const state = await harness.load(run)
    if (state === undefined) missing()
    else look(state)
    return
  }
  const written = await harness.load(first.run)
  if (written === undefined) await opening.get(first.run) // whoever asked first has left; it is told to those who listen now
  const state = written ?? (await harness.load(first.run))
  if (state === undefined) return missing()
  look(state)
  harness.advance(first.run)
}

async function permitted({ harness }: FollowParts, first: First, args: Json): Promise<Followed> {
  const run = first.kind === 'known' ? first.run : first.state.opened.run
  // Only where it is merely observed can there be more to say, and it is durable by now.
  const mayDiffer = first.kind === 'known' || first.state.opened.call?.observes === true
  const [action] = (mayDiffer ? await harness.load(run) : undefined)?.actions ?? []
  return { answer: { kind: 'permit', run, arguments: args, ...(action === undefined ? {} : wouldOf(action)) } }
}

/** The time is up, or nobody waits any more. */
function unfinished(run: string, last: RunState | undefined): Followed {
  const question = last === undefined ? undefined : questionOf(last)
  const state = last === undefined ? {} : { state: last }
  if (question !== undefined) return { answer: { kind: 'pending', run, ...question }, ...state }
  return { answer: { kind: 'unknown', run, message: 'it has not ended yet; ask again with the same call' }, ...state }
}
