import { endorseRequestSchema } from '@tidegate/protocol'
import { renderEndorsement } from '../render/endorsement.ts'
import { done, refuse } from '../reply.ts'
import { type Route, route } from './route.ts'

/** Values that people endorse for the rest of a run. */
export const ENDORSEMENT_ROUTES: readonly Route[] = [
  route({
    method: 'GET',
    path: '/runs/:id/endorsements',
    run: async ({ tidegate, id }) => {
      const state = await tidegate.run(id)
      return state === undefined
        ? refuse('not_found', 'There is no run with this id. `tidegate runs list` shows those there are.')
        : done({ endorsements: state.endorsements.map(renderEndorsement) })
    },
  }),
  route({
    method: 'POST',
    path: '/runs/:id/endorsements',
    body: endorseRequestSchema,
    run: async ({ tidegate, person, id, body }) => {
      const { why, approval, action, operation, digest } = body
      const answer = await tidegate.endorse(id, {
        person,
        why,
        ...(approval === undefined ? {} : { approval }),
        ...(action === undefined ? {} : { action }),
        ...(operation === undefined ? {} : { operation }),
        ...(digest === undefined ? {} : { digest }),
        values: body.values.map(({ pointer, value }) => (value === undefined ? { pointer } : { pointer, value })),
      })
      if (answer.kind === 'rejected') return refuse(answer.code, answer.message)
      const { run, values, reopened } = answer
      return done({ run, values, reopened }, 'created')
    },
  }),
]
