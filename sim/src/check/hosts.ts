import type { HostCallMark } from '@tidegate/kernel'
import type { HostDeclaration } from '@tidegate/runtime'
import { OPERATIONS } from '../plan/hosts.ts'
import { normalised } from '../run/host-acts.ts'
import { SESSION_SALT } from '../run/life.ts'
import type { Simulation } from '../run/simulation.ts'
import type { SeenCall, SeenRequest } from '../run/witness.ts'
import { canonical, lastOf, type RunRecord, runsOf, sha256, typed } from './facts.ts'
import type { Report } from './report.ts'

/** A call run, with what its records say first. */
export interface CallRun {
  readonly run: string
  readonly records: readonly RunRecord[]
  readonly mark: HostCallMark
  readonly event: string
  readonly openedAt: number
}

/** An answer that nobody took is kept for the same action so long. */
const KEPT_MS = 600_000
const TICKET_MS = 60_000

/** All runs that are calls of hosts, oldest first. */
export function callRunsOf(sim: Simulation): readonly CallRun[] {
  return [...runsOf(sim)].flatMap(([run, records]) => {
    const opened = typed(records, 'run.opened')[0]
    if (opened?.event.call === undefined) return []
    return [{ run, records, mark: opened.event.call, event: opened.event.trigger.event, openedAt: opened.index }]
  })
}

/** The names are few, and asked for again and again. */
const ids = new Map<string, string>()

function idOf(text: string): string {
  const known = ids.get(text) ?? sha256(text).slice(0, 32)
  ids.set(text, known)
  return known
}

/** The name of a conversation and of a call in the ledger, made again. */
export function sessionIdOf({ host, session }: Pick<SeenRequest, 'host' | 'session'>): string {
  return idOf(canonical({ salt: SESSION_SALT, host, session }))
}

export function eventOf(request: Pick<SeenRequest, 'host' | 'session' | 'call'>): string {
  const session = sessionIdOf(request)
  return `${session}.${idOf(canonical({ session, call: request.call }))}`
}

/** D2, D3, tickets, observing, and answers: what holds for agents that are not ours besides all that holds for every run. */
export function checkHosts(sim: Simulation, report: Report): void {
  if (sim.scenario.hosts.length === 0) return
  const runs = callRunsOf(sim)
  const hosts = new Map(sim.scenario.hosts.map(({ declaration }) => [declaration.name, declaration]))
  for (const one of runs) {
    const host = hosts.get(one.mark.host)
    if (host === undefined) report('D1', `run ${one.run} belongs to no host`)
    else for (const call of callsOf(sim, one)) checkWaited(sim, one, host, call, report)
    checkMode(one, host, report)
  }
  checkOneRun(sim, runs, report)
  checkRepeats(sim, runs, report)
  checkAnswers(sim, report)
}

function callsOf({ witness }: Simulation, { run, records }: CallRun): readonly SeenCall[] {
  return witness.calls.filter(
    (call) => call.run === run && lastOf(records, 'action.proposed', call.action)?.event.purpose === 'act',
  )
}

/** D2: in the moment in which an effect starts somebody waits for its answer; who needs a ticket has handed in a good one. */
function checkWaited(sim: Simulation, one: CallRun, host: HostDeclaration, call: SeenCall, report: Report): void {
  const { witness } = sim
  const waiting = witness.requests.filter((request) => call.waiting.includes(request.order) && isAbout(sim, one, call, request))
  if (waiting.length === 0) {
    report('D2', `${call.operation} ${call.effectId} attempt ${call.attempt} started, and nobody waits for its answer`)
    return
  }
  const needsTicket = host.tickets && host.mode === 'enforce'
  const isEntitled = (request: SeenRequest): boolean => request.asks === 'permit' || hasTicket(sim, request, call)
  if (needsTicket && !waiting.some(isEntitled))
    report('tickets', `${call.operation} ${call.effectId} started without a good ticket`)
}

/** Whether a request wants this to happen: a result, or a permit; of the call, of the same action in the conversation, or with a ticket for it. */
function isAbout({ witness }: Simulation, { run, mark, event }: CallRun, call: SeenCall, request: SeenRequest): boolean {
  if (request.asks === 'ticket' || request.host !== mark.host) return false
  if (request.ticket !== null && witness.tickets.get(request.ticket)?.run === run) return true
  if (
    eventOf(request) === event ||
    witness.tickets.values().some((ticket) => ticket.run === run && ticket.usedBy === nameOf(request))
  )
    return true
  if (sessionIdOf(request) !== mark.session) return false
  return (
    request.operation === call.operation &&
    canonical(normalised(request.operation, request.arguments)) === canonical(call.arguments)
  )
}

/** A ticket of this life, for this run and this very action, in time, handed in by this call and by no other before. */
function hasTicket({ witness }: Simulation, request: SeenRequest, call: SeenCall): boolean {
  const name = nameOf(request)
  const presented = witness.requests.filter(
    (other) => other.ticket !== null && other.life === call.life && nameOf(other) === name && other.order <= request.order,
  )
  return presented.some((other) => {
    const ticket = witness.tickets.get(other.ticket ?? '')
    if (ticket === undefined || ticket.request.life !== call.life || ticket.run !== call.run) return false
    const first = witness.requests.find(({ ticket: handed, life }) => handed === other.ticket && life === call.life)
    const isInTime = (first?.atMs ?? 0) - (ticket.request.answer?.atMs ?? 0) <= TICKET_MS
    const isSame = canonical(normalised(other.operation, first?.arguments ?? null)) === canonical(call.arguments)
    return first !== undefined && nameOf(first) === name && isInTime && isSame
  })
}

function nameOf({ host, session, call }: Pick<SeenRequest, 'host' | 'session' | 'call'>): string {
  return JSON.stringify([host, session, call])
}

/** Whoever is only observed is recorded as what would have been; nobody else is. */
function checkMode({ run, records, mark }: CallRun, host: HostDeclaration | undefined, report: Report): void {
  if ((mark.observes === true) !== (host?.mode === 'observe'))
    report('observe', `run ${run} is not governed as its host is declared`)
  for (const { event } of typed(records, 'action.decided'))
    if (event.would !== undefined && (mark.observes !== true || event.outcome !== 'allow'))
      report('observe', `run ${run} is governed, and says what would have been`)
  for (const { event, index } of typed(records, 'effect.started')) {
    const decided = lastOf(records, 'action.decided', event.action, index)?.event
    if (decided?.outcome !== 'allow') report('observe', `run ${run} started, and no decision is recorded`)
  }
}

/** D3: the same call is one run, and an answer comes from it. */
function checkOneRun({ witness }: Simulation, runs: readonly CallRun[], report: Report): void {
  const named = Map.groupBy(witness.requests, nameOf)
  for (const [name, requests] of named) {
    const [first] = requests
    if (first === undefined) continue
    const own = runs.filter(({ event, mark }) => event === eventOf(first) && mark.refused === undefined)
    if (own.length > 1) report('D3', `the call ${name} has ${own.length} runs`)
    const done = new Set(requests.flatMap(({ answer }) => (answer?.told.kind === 'done' ? [answer.told.run] : [])))
    // Whoever took up the run of another call is not known by its own name after a restart; of reads nothing is kept then, and what was
    // deployed in between is another action.
    const actions = new Set([...done].map((run) => digestIn(runs, run)))
    if (done.size > actions.size && !isRead(first.operation))
      report('D3', `the call ${name} was answered by ${[...done].join(' and ')}`)
  }
}

function digestIn(runs: readonly CallRun[], run: string): string | null {
  const records = runs.find((one) => one.run === run)?.records ?? []
  return typed(records, 'action.proposed')[0]?.event.digest ?? null
}

/** D3: the same action in the same conversation, asked for again because nothing was heard, does not happen again. */
function checkRepeats(sim: Simulation, runs: readonly CallRun[], report: Report): void {
  const acted = runs.flatMap((one) => {
    const digest = typed(one.records, 'action.proposed')[0]?.event.digest ?? null
    const [request] = sim.witness.requests.filter((each) => eventOf(each) === one.event)
    // What was tried and is not there has not happened; what is permitted is done only if the host has heard of it.
    const operation = typed(one.records, 'action.proposed')[0]?.event.operation ?? ''
    const isEffect = sim.farSide.deedsOf(`${one.run}.0`).length > 0 && !isRead(operation)
    return digest === null || request === undefined || !isEffect ? [] : [{ ...one, digest, request }]
  })
  for (const [n, later] of acted.entries())
    for (const before of acted.slice(0, n)) {
      if (before.digest !== later.digest || before.mark.session !== later.mark.session) continue
      if (before.request.order > later.request.order) continue
      const why = whyAgain(sim, before, later)
      if (why === undefined) report('D3', `${later.run} does again what ${before.run} does, whose answer nobody has taken`)
    }
}

/** Why the same action may happen once more: it was answered, was waited for, was taken back, or is too long ago. */
function whyAgain(
  { witness }: Simulation,
  before: CallRun,
  later: CallRun & { readonly request: SeenRequest },
): string | undefined {
  // The one that opened it: what was tried before under the same name left nothing.
  const at =
    witness.requests.findLast(({ durable, ...one }) => eventOf(one) === later.event && durable <= later.openedAt)?.order ?? 0
  const about = witness.requests.filter(
    (request) =>
      request.order < at &&
      (eventOf(request) === before.event || runIn(request) === before.run || isTicketFor(request, before.run)),
  )
  if (about.some(({ endedOrder }) => endedOrder === null || endedOrder > at)) return 'it was waited for'
  const finished = typed(before.records, 'run.finished')[0]
  const taken = about.some(({ answer }) => answer !== null && answer.order < at && isEnd(answer, before, finished?.index))
  if (taken) return 'it was answered'
  if (typed(before.records, 'run.undone').some(({ index }) => index < later.openedAt)) return 'it was taken back'
  const openedAtMs = typed(later.records, 'run.opened')[0]?.atMs ?? 0
  return finished !== undefined && finished.atMs + KEPT_MS <= openedAtMs ? 'it is too long ago' : undefined

  function isTicketFor({ ticket }: SeenRequest, run: string): boolean {
    return ticket !== null && witness.tickets.get(ticket)?.run === run
  }
}

function runIn({ answer }: SeenRequest): string | undefined {
  return answer === null || answer.told.kind === 'refused' ? undefined : answer.told.run
}

function isEnd(
  { told, durable }: NonNullable<SeenRequest['answer']>,
  { run }: CallRun,
  finished = Number.POSITIVE_INFINITY,
): boolean {
  if (told.kind === 'refused' || told.run !== run) return false
  return told.kind === 'permit' || finished < durable
}

/** Whoever is told that it is done gets what the ledger says; and what is not in the ledger is not told. */
function checkAnswers(sim: Simulation, report: Report): void {
  const runs = runsOf(sim)
  for (const { answer, asks, call, isWaiting, life, operation } of sim.witness.requests) {
    if (isWaiting && life === sim.life?.n) report('liveness', `nobody has answered the call ${call}`)
    if (answer?.told.kind === 'refused' && answer.told.code !== 'too_busy' && sim.scenario.weather.store === 0)
      report('liveness', `the call ${call} was refused: ${answer.told.code}`)
    if (answer?.told.kind === 'permit' && asks === 'result')
      report('answers', `the call ${call} is ours, and was permitted to the host`)
    if (answer?.told.kind === 'ticket' && asks !== 'ticket')
      report('answers', `the call ${call} got a ticket that it does not need`)
    if (answer?.told.kind !== 'done') continue
    const { told, durable } = answer
    if (isRead(operation)) {
      const wentOn = life === sim.life?.n && sim.scenario.weather.store === 0
      checkRead(runs.get(told.run) ?? [], { call, told, durable, wentOn }, report)
      continue
    }
    const known = (runs.get(told.run) ?? []).filter(({ index }) => index < durable)
    const output = known.flatMap(({ event }) => {
      if (event.type === 'effect.finished' && event.result === 'done' && event.action === 0) return [event.sealed.output]
      const isFound = event.type === 'effect.reconciled' && (event.found === 'happened' || event.found === 'doubled')
      return isFound && event.action === 0 ? [event.sealed.output] : []
    })
    const last = output.at(-1)
    if (last === undefined) report('answers', `the call ${call} is said to be done, and run ${told.run} does not say so`)
    else if (canonical(last) !== canonical(told.output))
      report('answers', `the call ${call} was told something else than run ${told.run} says`)
  }
}

/** H5: what was read is told when its start is in the ledger; the answer follows it there, unless we were killed in between. */
function checkRead(
  records: readonly RunRecord[],
  { call, told, durable, wentOn }: { call: string; told: Told; durable: number; wentOn: boolean },
  report: Report,
): void {
  const started = typed(records, 'effect.started').findLast(({ event, index }) => event.action === 0 && index < durable)
  if (started === undefined) {
    report('answers', `the call ${call} was told what ${told.run} read, whose start was not in the ledger`)
    return
  }
  const finished = typed(records, 'effect.finished').filter(({ event }) => event.action === 0 && event.result === 'done')
  const own = finished.find(({ event }) => event.attempt >= started.event.attempt)
  if (own === undefined && wentOn) report('answers', `the call ${call} was told what ${told.run} never says that it read`)
  if (own?.event.attempt === started.event.attempt && canonical(own.event.sealed.output) !== canonical(told.output))
    report('answers', `the call ${call} was told something else than run ${told.run} says`)
}

type Told = Extract<NonNullable<SeenRequest['answer']>['told'], { kind: 'done' }>

/** True for what only shows something. */
export function isRead(operation: string): boolean {
  return OPERATIONS.find(({ id }) => id === operation)?.mutability === 'read'
}
