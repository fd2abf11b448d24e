import { calibrationQuerySchema } from '@tidegate/protocol'
import { renderCalibration } from '../render/calibration.ts'
import { done, refuse } from '../reply.ts'
import { renderOperation, renderWorkflow } from '../render/catalogue.ts'
import { renderMeter } from '../render/meters.ts'
import { type Route, route } from './route.ts'

/** What is declared: tools with their operations, workflows, and limits with what they have counted. */
export const CATALOGUE_ROUTES: readonly Route[] = [
  route({
    method: 'GET',
    path: '/tools',
    run: async ({ tidegate }) => {
      const operations = tidegate.operations().map(renderOperation)
      const tools = [...Map.groupBy(operations, ({ tool }) => tool)]
      return done({ tools: tools.map(([tool, of]) => ({ tool, operations: of })) })
    },
  }),
  route({
    method: 'GET',
    path: '/tools/:id',
    run: async ({ tidegate, id }) => {
      const operations = tidegate.operations().filter((operation) => operation.tool === id || operation.id === id)
      const tool = operations[0]?.tool
      return tool === undefined
        ? refuse('not_found', 'No tool and no operation has this name. `tidegate tools list` shows those there are.')
        : done({ tool, operations: operations.map(renderOperation) })
    },
  }),
  route({
    method: 'GET',
    path: '/workflows',
    run: async ({ tidegate }) => done({ workflows: tidegate.workflows().map(renderWorkflow) }),
  }),
  route({
    method: 'GET',
    path: '/workflows/:id',
    run: async ({ tidegate, id }) => {
      const workflow = tidegate.workflows().find(({ name }) => name === id)
      return workflow === undefined
        ? refuse('not_found', 'There is no workflow with this name. `tidegate workflows list` shows those there are.')
        : done(renderWorkflow(workflow))
    },
  }),
  route({
    method: 'GET',
    path: '/calibration',
    query: calibrationQuerySchema,
    run: async ({ tidegate, query }) => done(renderCalibration(await tidegate.calibration(query.workflow))),
  }),
  route({
    method: 'GET',
    path: '/limits',
    run: async ({ tidegate }) => done({ meters: tidegate.limits().map(renderMeter) }),
  }),
  route({
    method: 'GET',
    path: '/limits/:id',
    run: async ({ tidegate, id }) => {
      const view = tidegate.limits().find(({ meter }) => meter.name === id)
      return view === undefined
        ? refuse('not_found', 'There is no limit with this name. `tidegate limits` shows those there are.')
        : done(renderMeter(view))
    },
  }),
  route({
    method: 'GET',
    path: '/me',
    run: async ({ person, version }) => done({ id: person.id, roles: person.roles, version }),
  }),
]
