import type { HostCallMark, PolicyRule, RunState } from '@tidegate/kernel'
import type { Harness } from '../harness/harness.ts'
import type { HarnessParts } from '../harness/parts.ts'
import { digestOfCall } from './call-identity.ts'
import { findCanaries } from './canaries.ts'
import type { Claims } from './claims.ts'
import { type First, follow, type FollowParts, NOT_WRITTEN, type Followed, type Wanted } from './follow.ts'
import type { HostAnswer, HostCall, HostDeclaration, HostDesk, HostPatience } from './host.ts'
import { createHostLog } from './host-log.ts'
import { reportObserved } from './observed.ts'
import { offeredTo } from './offer.ts'
import { earlierRun, newRun, problemOf, runBefore } from './open-call.ts'
import { parkRun, rememberCall, type Session, type Sessions, unparkRun } from './sessions.ts'
import { createTickets, type Ticketed } from './tickets.ts'

/** What the desk is made of, besides what the harness is made of. */
export interface HostDeskParts extends HarnessParts {
  readonly hosts: readonly HostDeclaration[]
  readonly sessionsOfHosts: Sessions
  readonly claimsOfHosts: Claims
  /** The policies in force, as people wrote them. */
  readonly rules?: () => readonly PolicyRule[]
}

/** Calls of one host at the same time. */
const MAX_UNDER_WAY = 512
/** Calls whose tickets are remembered as used. */
const MAX_REDEEMED = 10_000
const NO_TICKET = 'this call needs a ticket, which the plugin of the host gets; is the plugin loaded?'

/**
 * Opens the door for agents that are not ours.
 *
 * D1. Each call is a run of its own, and its first record holds everything up to the start of its effect. D2. Nothing starts while nobody
 * waits for its answer. D3. The same call again joins the first one; the same action again takes up the one whose answer nobody has taken.
 */
export function createHostDesk(parts: HostDeskParts, harness: Harness): HostDesk {
  const { claimsOfHosts: claims, sessionsOfHosts: sessions, clock } = parts
  const hosts = new Map(parts.hosts.map((host) => [host.name, host]))
  const log = createHostLog(parts.hosts, clock)
  const tickets = createTickets({ ...parts, find: parts.registry.find })
  const opening: FollowParts['opening'] = new Map()
  const following: FollowParts = { harness, claims, clock, opening, listen: listenTo(harness) }
  const permitted = new Map<string, string>()
  /** Calls that have handed in a good ticket -> what it was good for. */
  const redeemed = new Map<string, Ticketed>()

  async function answer(
    request: HostCall,
    wants: Wanted,
    patience: HostPatience,
    choose: (host: HostDeclaration, session: Session) => Promise<First>,
  ): Promise<HostAnswer> {
    const host = hosts.get(request.host)
    if (host === undefined) return refuse('unknown_host', `there is no host named ${request.host.slice(0, 80)}`)
    const problem = problemOf(request)
    if (problem !== undefined) return refuse('invalid_call', problem)
    if (!log.enter(host.name, MAX_UNDER_WAY)) return refuse('too_busy', 'too many calls of this host are under way')
    try {
      const session = await sessions.open(host.name, request.session)
      let first = await choose(host, session)
      let followed = await follow(following, first, wants, patience)
      if (followed === NOT_WRITTEN && first.kind === 'known') {
        forget(session, request, first.run) // whoever asked before left, or the store failed, and it never came to be
        first = await choose(host, session)
        followed = await follow(following, first, wants, patience)
      }
      if (followed === NOT_WRITTEN && first.kind === 'new') {
        const before = await runBefore(parts, first)
        if (before !== undefined) followed = await follow(following, before, wants, patience)
      }
      return followed === NOT_WRITTEN
        ? refuse('not_recorded', 'the call could not be recorded')
        : settle(session, request, followed, patience)
    } finally {
      log.leave(host.name)
    }
  }

  /** Keeps what has to be known when the host comes back. */
  function settle(session: Session, request: HostCall, { answer: given, state }: Followed, { signal }: HostPatience): HostAnswer {
    log.count(session.host, given)
    // What the agent asks its model is not taken up again, and tells the conversation nothing (I9). Nor is what was refused.
    if (given.kind === 'refused' || asksModel(request) || state?.opened.call?.refused !== undefined) return given
    rememberCall(session, request.call, given.run)
    if (given.kind === 'permit') {
      awaitReport(session, request, given.run)
      if (session.parked.size > 0) unpark(session, request, given.run)
      return given
    }
    // Nothing may wait up to here: whoever asks next must find what is under way (D3).
    const digest = state?.actions[0]?.proposed.digest ?? digestOfCall(parts, request)
    if (digest === undefined) return given
    const isTaken = state?.phase === 'finished' && signal?.aborted !== true
    if (isTaken) unparkRun(session, digest, given.run)
    else parkRun(session, digest, given.run)
    if (isTaken) sessions.tell(session, state)
    return given.kind === 'ticket' ? { ...given, ticket: tickets.issue({ ...request, run: given.run, digest }) } : given
  }

  function forget(session: Session, request: HostCall, run: string): void {
    if (session.calls.get(request.call) === run) session.calls.delete(request.call)
    unpark(session, request, run)
  }

  function unpark(session: Session, request: HostCall, run: string): void {
    const digest = digestOfCall(parts, request)
    if (digest !== undefined) unparkRun(session, digest, run)
  }

  function asksModel({ operation }: Pick<HostCall, 'operation'>): boolean {
    return parts.registry.find(operation)?.isPlanner === true
  }

  /** A call that the host does is over when it has told what came of it, or had the time to. */
  function awaitReport(session: Session, request: HostCall, run: string): void {
    const key = keyOf(request)
    permitted.set(key, run)
    sessions.expect(session, request.operation)
    const unlisten = following.listen(run, (state) => {
      if (state.phase !== 'finished') return
      unlisten()
      permitted.delete(key)
      sessions.tell(session, state)
    })
  }

  function choosing(request: HostCall, refused?: HostCallMark['refused']) {
    return async (host: HostDeclaration, session: Session): Promise<First> => {
      const before =
        refused === undefined ? await earlierRun(parts, { load: harness.load, opening }, session, request) : undefined
      return before ?? newRun(parts, host, session, request, refused)
    }
  }

  /** A call that has handed in its ticket may ask for its answer again; nobody else gets on with that ticket. */
  function redeem(key: string, of: Ticketed): void {
    redeemed.set(key, of)
    const [oldest] = redeemed.keys()
    if (redeemed.size > MAX_REDEEMED && oldest !== undefined) redeemed.delete(oldest)
  }

  /** Hosts name the wide operation; the call is decided on as what it really is. An operation that breaks over it is called as it was named. */
  function narrowed(request: HostCall): HostCall {
    try {
      const narrower = parts.registry.find(request.operation)?.narrow?.(request.arguments) ?? null
      return narrower === null ? request : { ...request, operation: narrower }
    } catch {
      return request
    }
  }

  return {
    call(named, patience) {
      const request = narrowed(named)
      return answer(request, request.by, patience, choosing(request))
    },
    async perform({ ticket, ...rest }, patience) {
      const request = narrowed({ ...rest, by: 'tidegate' })
      // Also one that this call does not need any more is used up by it.
      const held = ticket === undefined ? undefined : tickets.redeem(ticket, request)
      const before = redeemed.get(keyOf(request))
      if (before !== undefined)
        return answer({ ...request, ...before }, 'result', patience, async () => ({ kind: 'known', run: before.run }))
      if (held !== undefined && 'run' in held) {
        redeem(keyOf(request), held)
        return answer({ ...request, ...held }, 'result', patience, async () => ({ kind: 'known', run: held.run }))
      }
      const host = hosts.get(request.host)
      const needed = host?.tickets === true && host.mode === 'enforce' && !asksModel(request)
      if (!needed && held === undefined) return answer(request, 'result', patience, choosing(request))
      log.withoutTicket(request.host)
      const refused = { id: 'tidegate:ticket', reason: held?.why ?? NO_TICKET }
      return answer(request, 'result', patience, choosing(request, refused))
    },
    report(report) {
      log.seen(report.host)
      const run = permitted.get(keyOf(report))
      if (run === undefined) return false
      const { ok, output = null, error = 'the host says that it failed', truncated = false } = report
      const told = { reported: true, output, ...(truncated ? { truncated } : {}) }
      return ok
        ? claims.report(run, { kind: 'done', output: told, complete: !truncated })
        : claims.report(run, { kind: 'failed', failure: 'semantic', retry: 'never', message: error.slice(0, 2_000) })
    },
    async heard({ host, session, text, from }) {
      log.seen(host)
      if (hosts.has(host)) await sessions.heard(host, session, { text, from })
    },
    hello: (hello) => log.hello(hello),
    hosts: () => log.views(),
    offered: (name) => offeredTo(parts, hosts.get(name)),
    observed: (query) => reportObserved({ journal: parts.journal, hosts: parts.hosts, rules: parts.rules?.() ?? [] }, query),
    canaries: (query) => findCanaries(parts.journal, query),
  }
}

/** Lets several follow single runs with one watcher of all. */
function listenTo(harness: Pick<Harness, 'watch' | 'foresee'>): FollowParts['listen'] {
  const listeners = new Map<string, Set<(state: RunState) => void>>()
  const tell = (state: RunState): void => {
    for (const listener of listeners.get(state.opened.run) ?? []) listener(state)
  }
  harness.watch(tell)
  harness.foresee(tell)
  return (run, listener) => {
    const set = listeners.get(run) ?? new Set()
    listeners.set(run, set.add(listener))
    return () => {
      set.delete(listener)
      if (set.size === 0) listeners.delete(run)
    }
  }
}

function keyOf({ host, session, call }: Pick<HostCall, 'host' | 'session' | 'call'>): string {
  return JSON.stringify([host, session, call])
}

function refuse(code: Extract<HostAnswer, { kind: 'refused' }>['code'], message: string): HostAnswer {
  return { kind: 'refused', code, message }
}
