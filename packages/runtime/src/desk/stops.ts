import { parseStopScope, type StopScope, stopFor } from '@tidegate/kernel'
import type { LiftAnswer, Person, StopAnswer } from '../api.ts'
import type { HarnessParts } from '../harness/parts.ts'
import { createUlid } from '../id.ts'

/** The role that may stop, lift, undo and clear the queue. */
export const OPERATOR = 'operator'

/**
 * Raises a stop. When this answers, the stop is durable, the epoch is raised in the same transaction, and nothing in its scope
 * starts any more (I7). What had started before is told, not hidden.
 */
export async function raiseStop(
  parts: HarnessParts,
  request: { person: Person; scope: StopScope; mode: 'hold' | 'kill'; why: string },
): Promise<StopAnswer> {
  const { person, scope, mode, why } = request
  if (!person.roles.includes(OPERATOR))
    return { kind: 'refused', code: 'not_entitled', message: `only the role ${OPERATOR} may stop` }
  if (parseStopScope(scope) === undefined)
    return { kind: 'refused', code: 'invalid_scope', message: 'a scope is global, agent:X, workflow:X, tool:X or run:X' }
  const requestedAtMs = parts.clock.monotonicMs()
  const id = `stop-${createUlid(parts.clock, parts.entropy)}`
  const control = await parts.control.append([{ type: 'stop.raised', stop: id, scope, mode, by: person.id, why }], {
    raisesEpoch: true,
  })
  const acknowledgedMs = parts.clock.monotonicMs() - requestedAtMs
  const stop = control.stops.find((candidate) => candidate.id === id)
  if (stop === undefined) throw new Error('The stop was made durable but is not in force.')
  const running = parts.inFlight.list().filter((effect) => stopFor([stop], effect) !== undefined)
  parts.log({ level: 'warning', message: `stopped ${scope}: ${running.length} effects were already under way` })
  return {
    kind: 'stopped',
    stop,
    epoch: control.epoch,
    acknowledgedMs,
    running: running.map(({ run, operation, sinceMs }) => ({ run, operation, sinceMs })),
  }
}

/** Lifts a stop, or all stops over a scope. */
export async function liftStop(
  parts: HarnessParts,
  request: { person: Person; stop?: string; scope?: StopScope; why: string },
): Promise<LiftAnswer> {
  const { person, why } = request
  if (!person.roles.includes(OPERATOR))
    return { kind: 'refused', code: 'not_entitled', message: `only the role ${OPERATOR} may lift a stop` }
  const stops = parts.control.state.stops.filter(
    (stop) => stop.id === request.stop || (request.stop === undefined && stop.scope === request.scope),
  )
  if (stops.length === 0) return { kind: 'refused', code: 'not_found', message: 'no such stop is in force' }
  const events = stops.map((stop) => ({ type: 'stop.lifted', stop: stop.id, by: person.id, why }) as const)
  const control = await parts.control.append(events, { raisesEpoch: true })
  parts.log({ level: 'info', message: `lifted ${stops.map((stop) => stop.scope).join(', ')}` })
  return { kind: 'lifted', stops, epoch: control.epoch }
}
