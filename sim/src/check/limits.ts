import type { JsonObject, Meter, MeterLimit, RunEvent, RunOpened } from '@tidegate/kernel'
import { OPERATIONS } from '../plan/hosts.ts'
import type { Simulation } from '../run/simulation.ts'
import type { EventOf } from './facts.ts'
import type { Report } from './report.ts'

/** Something that was counted, as the records tell it: a start, or an effect that was not ruled out since. */
interface Count {
  readonly source: 'calls' | 'effects'
  readonly action: Action
  readonly atMs: number
  /** When it was decided that it may start. */
  readonly decidedAtMs: number
  /** Policies for which people said yes to it. */
  readonly approved: readonly string[]
}

interface Action {
  readonly opened: RunOpened
  readonly n: number
  readonly operation: string
  readonly purpose: EventOf<'action.proposed'>['purpose']
  readonly arguments: JsonObject
  readonly isEffect: boolean
  /** When it was decided last. */
  decidedAtMs: number
  /** Its effect, while it counts. */
  counted: Count | undefined
  /** An earlier attempt may have had its effect. */
  isInDoubt: boolean
}

interface Bound {
  readonly meter: Meter
  readonly limit: MeterLimit
}

interface Run {
  readonly opened: RunOpened
  readonly actions: Map<number, Action>
  /** Question to the policies that asked it. */
  readonly questions: Map<string, readonly string[]>
}

/**
 * No effect started beyond a limit, unless people said yes to that limit. Counted anew from the raw entries in their order, with the
 * arguments as they were proposed: nothing of the meters, no reservation, and no fact that was recorded for them.
 */
export function checkLimits({ scenario, disk }: Simulation, report: Report): void {
  const { meters } = scenario
  if (meters.length === 0) return
  const counts = new Set<Count>()
  const runs = new Map<string, Run>()
  for (const { stream, events, atMs, index } of disk.entries) {
    if (!stream.startsWith('run/')) continue
    for (const event of events as readonly RunEvent[]) {
      if (event.type === 'run.opened') runs.set(stream, { opened: event, actions: new Map(), questions: new Map() })
      const run = runs.get(stream)
      if (run === undefined) continue
      const said = saidOf(run, event)
      follow(run, event, { atMs, said }, counts)
      if (event.type !== 'effect.started') continue
      const action = run.actions.get(event.action)
      if (action === undefined || action.purpose === 'compensate') continue
      if (action.opened.call?.observes === true) continue // it counts, and is not stopped
      for (const meter of meters)
        for (const limit of meter.limits) {
          const value = amountIn({ meter, limit }, action, atMs, counts)
          if (!isBound(limit.on, action.operation) || !isBeyond(limit, value)) continue
          if (limit.then === 'ask' && said.includes(`limit.${meter.name}`)) continue
          report(
            'limits',
            `entry ${index} starts ${action.operation} although ${meter.name} is at ${value} of ${limit.bound.value}`,
          )
        }
    }
  }
}

/** The policies for which an effect that starts holds an approval. */
function saidOf(run: Run, event: RunEvent): readonly string[] {
  if (event.type !== 'effect.started' || event.approval === null) return []
  return run.questions.get(event.approval) ?? []
}

interface At {
  readonly atMs: number
  readonly said: readonly string[]
}

function follow(run: Run, event: RunEvent, at: At, counts: Set<Count>): void {
  if (event.type === 'approval.opened') run.questions.set(event.question.id, event.question.policies)
  if (event.type === 'action.proposed') {
    const { action: n, operation, purpose, sealed } = event
    const isEffect = OPERATIONS.some(({ id, mutability }) => id === operation && mutability !== 'read')
    const args = sealed.arguments as JsonObject // of what starts: it was admitted
    run.actions.set(n, {
      opened: run.opened,
      n,
      operation,
      purpose,
      arguments: args,
      isEffect,
      decidedAtMs: 0,
      counted: undefined,
      isInDoubt: false,
    })
  }
  if (event.type === 'action.decided') {
    const decided = run.actions.get(event.action)
    if (decided !== undefined) decided.decidedAtMs = event.facts?.at[0] ?? 0
  }
  if (event.type !== 'effect.started' && event.type !== 'effect.finished' && event.type !== 'effect.reconciled') return
  const action = run.actions.get(event.action)
  if (action !== undefined) followCall(action, event, at, counts)
}

type CallEvent = EventOf<'effect.started'> | EventOf<'effect.finished'> | EventOf<'effect.reconciled'>

function followCall(action: Action, event: CallEvent, { atMs, said }: At, counts: Set<Count>): void {
  const count = (source: Count['source']): Count => {
    const made: Count = { source, action, atMs, decidedAtMs: action.decidedAtMs, approved: said }
    counts.add(made)
    return made
  }
  const giveBack = (): void => {
    if (action.counted !== undefined) counts.delete(action.counted)
    action.counted = undefined
  }
  if (event.type === 'effect.started') {
    count('calls')
    if (action.isEffect) action.counted ??= count('effects')
  } else if (event.type === 'effect.finished') {
    if (event.result === 'done') action.isInDoubt = false
    else if (event.retry !== 'unknown' && !action.isInDoubt) giveBack()
  } else if (event.lookAgainAtMs === null) {
    if (event.found === 'absent') giveBack()
    // What is found doubled counts twice from the moment at which that is known, which the records do not tell: it is held against nobody here.
    if (event.found !== 'unknown') action.isInDoubt = event.found === 'repeatable'
  }
}

function amountIn({ meter, limit }: Bound, action: Action, nowMs: number, counts: ReadonlySet<Count>): number {
  const key = keyOf(meter, action)
  const mine = meter.self ? undefined : [...counts].findLast((count) => count.action === action && count.source === 'calls')
  let value = 0
  for (const count of counts) {
    if (count === mine || count.source !== meter.of || !isBound(meter.operations, count.action.operation)) continue
    if (!couldKnow({ meter, limit }, action, count)) continue
    if (keyOf(meter, count.action) !== key || !isInWindow(meter, count, action, nowMs)) continue
    value += meter.sum === null ? 1 : Number(count.action.arguments[meter.sum.slice(1)])
  }
  return value
}

/**
 * Two starts may be recorded in another order than they were decided in. Whoever is counted holds its room from its decision on, so that
 * the order does not matter. Nobody can know of what is decided later by somebody whom the limit does not bind or whom people let pass, or when one
 * holds no room oneself.
 */
function couldKnow({ meter, limit }: Bound, action: Action, { action: other, decidedAtMs, approved }: Count): boolean {
  if (action === other || decidedAtMs < action.decidedAtMs) return true
  const holdsRoom = meter.of === 'calls' || action.isEffect
  const isLetPass = limit.then === 'ask' && approved.includes(`limit.${meter.name}`)
  const isGoverned = other.purpose !== 'compensate' && other.opened.call?.observes !== true
  const isOtherBound = isGoverned && !isLetPass && isBound(limit.on, other.operation)
  return holdsRoom && isBound(meter.operations, action.operation) && isOtherBound
}

function keyOf({ per }: Meter, { opened, arguments: args }: Action): string {
  if (per === 'agent') return opened.agent
  if (per === 'workflow') return opened.workflow
  if (per === 'user') return opened.actors[0] ?? ''
  return per.startsWith('/') ? JSON.stringify(args[per.slice(1)] ?? '') : ''
}

function isInWindow({ window }: Meter, { atMs, action }: Count, now: Action, nowMs: number): boolean {
  switch (window.kind) {
    case 'sliding':
      return atMs > nowMs - window.ms
    case 'calendar': // the scenarios have hours, in UTC
      return Math.floor(atMs / 3_600_000) === Math.floor(nowMs / 3_600_000)
    case 'run':
      return action.opened.run === now.opened.run
    case 'ever':
      return true
  }
}

function isBound(patterns: readonly string[], operation: string): boolean {
  return patterns.length === 0 || patterns.some((one) => one === operation || one === `${operation.split('.')[0]}.*`)
}

function isBeyond({ bound }: MeterLimit, value: number): boolean {
  return bound.kind === 'above' ? value > bound.value : value < bound.value
}
