import { setTimeout as pause } from 'node:timers/promises'
import { type Client, ClientError } from '@tidegate/client'
import type { Chance } from './chance.ts'
import type { Stage } from './stage.ts'
import { anyTicket } from './ticket.ts'

/** An event that was, or still has to be, delivered. */
export interface Event {
  readonly id: string
  readonly ticketId: string
  /** The runs that answers named; more than one is a defect. */
  readonly runs: Set<string>
}

/** Work for a server, as people and programs make it: with repetitions, impatience and bad luck. */
export interface Load {
  readonly events: readonly Event[]
  /** Opens some tickets, plans some faults, and delivers the events, some of them twice at once. */
  push(client: Client, count: number): Promise<void>
  /** Delivers whatever was never answered. */
  redeliver(client: Client): Promise<void>
  /** Answers what waits for a billing lead. */
  answerApprovals(client: Client, options: { readonly refusals: number }): Promise<number>
  /** Asks for some finished runs to be undone. */
  undoSome(client: Client): Promise<void>
}

const FAULTY = [
  'POST /refunds',
  'POST /credits',
  'POST /outbox',
  'POST /invoices/:id/address',
  'POST /tickets/:id/state',
] as const
const FAULTY_TOO = [
  'POST /refunds/:id/cancel',
  'POST /credits/:id/revoke',
  'GET /tickets/:id',
  'GET /calls',
  'GET /refunds',
  'POST /refunds/preview',
] as const
const MODES = ['error-after', 'drop-after', 'error-before', 'slow', 'hang'] as const

/** Creates the load of one stage. Calls that fail because the server was killed are left to be repeated. */
export function createLoad(stage: Stage, chance: Chance, { customers }: { readonly customers: number }): Load {
  const events: Event[] = []

  async function deliver(client: Client, event: Event): Promise<void> {
    const request = { workflow: 'support-billing', source: 'desk', event: event.id, input: { ticketId: event.ticketId } }
    const answer = await unlessGone(client.trigger(request))
    if (answer !== undefined) event.runs.add(answer.run)
  }

  async function openTicket(): Promise<Event | undefined> {
    try {
      const { status, answer } = await stage.desk.call('POST', '/tickets', anyTicket(chance, customers))
      if (status !== 201) return undefined
      const event: Event = { id: `event-${events.length}`, ticketId: String(answer.id), runs: new Set() }
      events.push(event)
      return event
    } catch {
      return undefined // the desk is being killed as well
    }
  }

  async function planFault(): Promise<void> {
    const mode = chance.pick(MODES)
    const match = chance.pick(chance.happens(0.6) ? FAULTY : FAULTY_TOO)
    const ms = mode === 'slow' || mode === 'hang' ? { ms: chance.between(50, 800) } : {}
    await stage.desk.call('POST', '/faults', { match, mode, times: chance.between(1, 2), ...ms }).catch(() => undefined)
  }

  return {
    events,
    async push(client, count) {
      const deliveries: Promise<void>[] = []
      for (let i = 0; i < count; i++) {
        if (chance.happens(0.35)) await planFault()
        const event = await openTicket()
        if (event === undefined) continue
        deliveries.push(deliver(client, event))
        if (chance.happens(0.2)) deliveries.push(deliver(client, event))
        if (chance.happens(0.1)) deliveries.push(deliver(client, chance.pick([event, ...events])))
        if (chance.happens(0.3)) await pause(chance.between(1, 60))
      }
      await Promise.all(deliveries)
    },
    async redeliver(client) {
      for (const event of events) if (event.runs.size === 0) await deliver(client, event)
    },
    async answerApprovals(client, { refusals }) {
      const open = (await unlessGone(client.approvals('open'))) ?? []
      for (const { id, digest } of open) {
        const vote = chance.happens(refusals) ? 'refuse' : 'approve'
        await unlessGone(client.vote(id, { vote, why: 'Looked at it', digest }))
      }
      return open.length
    },
    async undoSome(client) {
      const done = (await unlessGone(client.runs({ state: ['completed'], limit: 20 }))) ?? []
      for (const { run, undoes } of done) {
        if (undoes === null && chance.happens(0.15)) await unlessGone(client.undo(run, 'It was a mistake'))
      }
    },
  }
}

/** What a call answers; undefined when the server was not there to answer, or said no for a good reason. */
export async function unlessGone<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    if (
      error instanceof ClientError &&
      (error.code === 'unreachable' || error.code === 'timeout' || error.code === 'malformed_answer')
    )
      return undefined
    if (error instanceof ClientError && error.problem !== undefined && error.problem.status < 500) return undefined
    throw error
  }
}
