import {
  policyApplyRequestSchema,
  policyExplainQuerySchema,
  policyPlanRequestSchema,
  policyRollbackRequestSchema,
  policyVersionQuerySchema,
  toolAcceptRequestSchema,
  WIRE_LIMITS,
} from '@tidegate/protocol'
import type { ChangeAnswer, ChangeDesk, ChangeRefusal, Tidegate } from '@tidegate/runtime'
import { renderExplanation, renderPlan, renderTexts, renderVersion } from '../render/policy.ts'
import { clip, done, type Refusal, type Reply, refuse } from '../reply.ts'
import { type Route, route } from './route.ts'

/** A backtest may take a minute, and checking a large set some seconds. */
const PLAN_MS = 120_000

/** Changes of what Tidegate decides by. Each `POST` but `plan` opens a governed run, and says which. */
export const POLICY_ROUTES: readonly Route[] = [
  route({
    method: 'POST',
    path: '/policy/plan',
    body: policyPlanRequestSchema,
    timeoutMs: PLAN_MS,
    run: ({ tidegate, person, body }) =>
      atDesk(tidegate, async (desk) => {
        const answer = await desk.plan({ person, files: body.files, backtest: rangeOf(body.backtest) })
        return answer.kind === 'refused' ? refuseChange(answer) : done(renderPlan(answer.plan))
      }),
  }),
  route({
    method: 'POST',
    path: '/policy/apply',
    body: policyApplyRequestSchema,
    timeoutMs: PLAN_MS,
    run: ({ tidegate, person, body }) =>
      atDesk(tidegate, async (desk) => {
        const { files, why } = body
        return opened(await desk.apply({ person, files, why, backtest: rangeOf(body.backtest) }))
      }),
  }),
  route({
    method: 'POST',
    path: '/policy/rollback',
    body: policyRollbackRequestSchema,
    run: ({ tidegate, person, body: { version, why } }) =>
      atDesk(tidegate, async (desk) =>
        opened(await desk.rollback({ person, why, ...(version === undefined ? {} : { version }) })),
      ),
  }),
  route({
    method: 'GET',
    path: '/policy/versions',
    run: ({ tidegate }) =>
      atDesk(tidegate, async (desk) => done({ versions: desk.versions().slice(0, WIRE_LIMITS.items).map(renderVersion) })),
  }),
  route({
    method: 'GET',
    path: '/policy/version',
    query: policyVersionQuerySchema,
    run: ({ tidegate, query }) =>
      atDesk(tidegate, async (desk) => {
        const shown = desk.show(query.version)
        return shown === undefined
          ? refuse('not_found', 'The ledger has no such version. `tidegate policy versions` lists them.')
          : done(renderTexts(shown))
      }),
  }),
  route({
    method: 'GET',
    path: '/policy/explain',
    query: policyExplainQuerySchema,
    run: ({ tidegate, query: { run, action } }) =>
      atDesk(tidegate, async (desk) => {
        const answer = await desk.explain({ run, ...(action === undefined ? {} : { action }) })
        return answer.kind === 'refused' ? refuseChange(answer) : done(renderExplanation(answer))
      }),
  }),
  route({
    method: 'GET',
    path: '/changes/tools',
    run: ({ tidegate }) => atDesk(tidegate, async (desk) => done({ changes: desk.reviewTools().slice(0, WIRE_LIMITS.items) })),
  }),
  route({
    method: 'POST',
    path: '/changes/tools',
    body: toolAcceptRequestSchema,
    run: ({ tidegate, person, body: { operation, why } }) =>
      atDesk(tidegate, async (desk) => opened(await desk.acceptTool({ person, operation, why }))),
  }),
]

async function atDesk({ changes }: Tidegate, ask: (desk: ChangeDesk) => Promise<Reply>): Promise<Reply> {
  return changes === undefined ? refuse('not_found', 'Nothing of this server can be changed while it runs.') : ask(changes)
}

function opened(answer: ChangeAnswer): Reply {
  return answer.kind === 'refused' ? refuseChange(answer) : done({ run: answer.run, version: answer.version }, 'accepted')
}

/** With every place that is wrong, as `file:line:column`. */
function refuseChange({ code, message, faults }: ChangeRefusal): Refusal {
  const issues = faults
    .slice(0, 1_000)
    .map(({ file, line, column, message: fault }) => ({ path: clip(`${file}:${line}:${column}`), message: clip(fault) }))
  return refuse(code, message, issues.length === 0 ? {} : { issues })
}

function rangeOf(range: { readonly last: number; readonly sinceMs?: number | undefined } | null) {
  if (range === null) return null
  const { last, sinceMs } = range
  return sinceMs === undefined ? { last } : { last, sinceMs }
}
