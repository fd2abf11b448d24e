import { runQuerySchema, triggerRequestSchema, WIRE_LIMITS, whyRequestSchema, settleQuerySchema } from '@tidegate/protocol'
import { done, refuse } from '../reply.ts'
import { renderRun, renderRunHead } from '../render/run.ts'
import { type Route, route } from './route.ts'

/** Who may say that an event is on behalf of somebody else. */
const DISPATCHER = 'dispatcher'

/** Runs: opening, listing, telling, undoing. */
export const RUN_ROUTES: readonly Route[] = [
  route({
    method: 'POST',
    path: '/triggers',
    body: triggerRequestSchema,
    run: async ({ tidegate, person, body }) => {
      const user = body.user ?? person.id
      if (user !== person.id && !person.roles.includes(DISPATCHER)) {
        return refuse('not_entitled', `Only the role ${DISPATCHER} may deliver an event on behalf of somebody else.`)
      }
      // Whoever delivers for somebody else stands in the actor chain, and so may not approve what comes of it.
      const client = user === person.id ? 'client:gateway' : person.id
      const { workflow, source, event, input } = body
      const answer = await tidegate.trigger({ workflow, source, event, input, user, client })
      if (answer.kind === 'refused') return refuse(answer.code, answer.message)
      return done(answer, answer.kind === 'opened' ? 'accepted' : 'ok')
    },
  }),
  route({
    method: 'GET',
    path: '/runs',
    query: runQuerySchema,
    run: async ({ tidegate, query }) => {
      const { state, workflow, before, limit } = query
      const runs = await tidegate.runs({
        limit,
        ...(state === undefined ? {} : { states: state }),
        ...(workflow === undefined ? {} : { workflow }),
        ...(before === undefined ? {} : { before }),
      })
      return done({ runs: runs.map(renderRunHead) })
    },
  }),
  route({
    method: 'GET',
    path: '/runs/:id',
    run: async ({ tidegate, id }) => {
      const state = await tidegate.run(id)
      return state === undefined ? noRun() : done(renderRun(state, tidegate.operations()))
    },
  }),
  route({
    method: 'GET',
    path: '/runs/:id/settled',
    query: settleQuerySchema,
    timeoutMs: WIRE_LIMITS.settleMs + 5_000,
    run: async ({ tidegate, id, query }) => {
      const head = await tidegate.settled(id, query.timeoutMs)
      return head === undefined ? noRun() : done(renderRunHead(head))
    },
  }),
  route({
    method: 'POST',
    path: '/runs/:id/undo',
    body: whyRequestSchema,
    run: async ({ tidegate, person, id, body }) => {
      const answer = await tidegate.undo(id, { person, why: body.why })
      return answer.kind === 'refused'
        ? refuse(answer.code, answer.message)
        : done({ run: answer.run, effects: answer.effects }, 'accepted')
    },
  }),
]

function noRun() {
  return refuse('not_found', 'There is no run with this id. `tidegate runs list` shows those there are.')
}
