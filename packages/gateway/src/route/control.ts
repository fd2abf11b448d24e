import {
  approvalQuerySchema,
  liftRequestSchema,
  queueQuerySchema,
  stopRequestSchema,
  voteRequestSchema,
  WIRE_LIMITS,
  whyRequestSchema,
} from '@tidegate/protocol'
import { parseStopScope } from '@tidegate/kernel'
import { done, refuse } from '../reply.ts'
import { renderApproval, renderQueueItem, renderStop } from '../render/control.ts'
import { type Route, route } from './route.ts'

/** What people decide: approvals, stops, and the queue. */
export const CONTROL_ROUTES: readonly Route[] = [
  route({
    method: 'GET',
    path: '/approvals',
    query: approvalQuerySchema,
    run: async ({ tidegate, query }) =>
      done({ approvals: (await tidegate.approvals({ state: query.state })).slice(0, WIRE_LIMITS.items).map(renderApproval) }),
  }),
  route({
    method: 'GET',
    path: '/approvals/:id',
    run: async ({ tidegate, id }) => {
      const view = await tidegate.approval(id)
      return view === undefined
        ? refuse('not_found', 'There is no approval with this id. `tidegate approvals list --all` shows those there are.')
        : done(renderApproval(view))
    },
  }),
  route({
    method: 'POST',
    path: '/approvals/:id/votes',
    body: voteRequestSchema,
    run: async ({ tidegate, person, id, body }) => {
      const answer = await tidegate.vote(id, { person, ...body })
      return answer.kind === 'rejected' ? refuse(answer.code, answer.message) : done({ state: answer.state, run: answer.run })
    },
  }),
  route({
    method: 'GET',
    path: '/stops',
    run: async ({ tidegate }) => done({ stops: tidegate.stops().map(renderStop) }),
  }),
  route({
    method: 'POST',
    path: '/stops',
    body: stopRequestSchema,
    run: async ({ tidegate, person, body }) => {
      const scope = parseStopScope(body.scope)
      if (scope === undefined) return badScope()
      const answer = await tidegate.stop({ person, scope, mode: body.mode, why: body.why })
      if (answer.kind === 'refused') return refuse(answer.code, answer.message)
      const { stop, epoch, acknowledgedMs, running } = answer
      return done({ stop: renderStop(stop), epoch, acknowledgedMs, running }, 'created')
    },
  }),
  route({
    method: 'POST',
    path: '/stops/lift',
    body: liftRequestSchema,
    run: async ({ tidegate, person, body }) => {
      const scope = body.scope === undefined ? undefined : parseStopScope(body.scope)
      if (body.scope !== undefined && scope === undefined) return badScope()
      const target = body.stop === undefined ? (scope === undefined ? {} : { scope }) : { stop: body.stop }
      const answer = await tidegate.lift({ person, ...target, why: body.why })
      if (answer.kind === 'refused') return refuse(answer.code, answer.message)
      return done({ stops: answer.stops.map(renderStop), epoch: answer.epoch })
    },
  }),
  route({
    method: 'GET',
    path: '/queue',
    query: queueQuerySchema,
    run: async ({ tidegate, query }) =>
      done({ items: (await tidegate.queue({ all: query.all === 'true' })).slice(0, WIRE_LIMITS.items).map(renderQueueItem) }),
  }),
  route({
    method: 'POST',
    path: '/queue/:id/resolve',
    body: whyRequestSchema,
    run: async ({ tidegate, person, id, body }) => {
      const answer = await tidegate.resolve(id, { person, why: body.why })
      return answer.kind === 'refused' ? refuse(answer.code, answer.message) : done({ item: id, resolved: true })
    },
  }),
]

function badScope() {
  return refuse('invalid_scope', 'A scope is global, agent:X, workflow:X, tool:X or run:X.')
}
