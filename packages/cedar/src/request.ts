import {
  CedarDatetime,
  type CedarRecord,
  type CedarRequest,
  type EntityUid,
  entityUid,
  type PolicyRequest,
} from '@tidegate/kernel'
import { ArgumentMisfit, argumentsView, type SeeArguments } from './argument-value.ts'
import { factCheck } from './fact-check.ts'
import type { CedarSchema } from './schema.ts'

export type QuestionResult =
  | { readonly ok: true; readonly question: CedarRequest }
  | { readonly ok: false; readonly message: string }

/** Puts requests into Cedar's terms. */
export type AskCedar = (request: PolicyRequest) => QuestionResult

/**
 * Prepares the putting of requests for one schema.
 *
 * A request that does not fit the schema is refused, whether or not any policy would look at what is wrong with it (I6): an unknown
 * agent, operation or tool, a fact that is missing or of another type, a meter without a value, an argument that cannot be shown as it
 * is. The message names what does not fit and never its value, since it goes into the ledger.
 */
export function cedarAsker(schema: CedarSchema): AskCedar {
  const operations = new Map(
    Object.entries(schema.arguments).map(([id, type]) => [id, { uid: entityUid('Action', id), view: argumentsView(type) }]),
  )
  const [agents, tools] = [namesOf(schema, 'Agent'), namesOf(schema, 'Tool')]
  const check = factCheck(schema.meters)
  return (request) => {
    const operation = operations.get(request.operation)
    if (operation === undefined) return refuse('the operation is not one that policies know')
    const [principal, resource] = [agents(request.agent), tools(request.tool)]
    if (principal === undefined) return refuse('the agent is not one that policies know')
    if (resource === undefined) return refuse('the tool is not one that policies know')
    try {
      const misfit = check(request)
      if (misfit !== undefined) return refuse(`the fact ${misfit} is missing or of another type than policies expect`)
      const context = cedarContext(request, operation.view)
      return { ok: true, question: { principal, action: operation.uid, resource, context } }
    } catch (error) {
      if (error instanceof ArgumentMisfit) return refuse(error.message)
      throw error
    }
  }
}

/** Lists stay lists: Cedar has sets, in which neither order nor repetition counts. */
function cedarContext({ context, workflow, user, client }: PolicyRequest, view: SeeArguments): CedarRecord {
  const { time, confidences } = context
  return {
    environment: context.environment,
    risk: context.risk,
    mutability: context.mutability,
    dataClass: context.dataClass,
    blastRadius: context.blastRadius,
    nature: context.nature,
    reversible: context.reversible,
    compensating: context.compensating,
    mode: context.mode,
    stage: context.stage,
    workflow,
    user,
    client,
    actors: context.actors,
    roles: context.roles,
    records: context.records,
    confidence: context.confidence,
    confidences: {
      classification: confidences.classification,
      retrieval: confidences.retrieval,
      extraction: confidences.extraction,
    },
    attempts: context.attempts,
    now: new CedarDatetime(time.nowMs),
    hour: time.hour,
    weekday: time.weekday,
    meters: context.meters,
    origins: context.origins,
    flow: context.flow as unknown as CedarRecord, // sound: the check of facts looks at each of its members
    approvals: context.approvals,
    arguments: view(context.arguments),
  }
}

/** Finds the entities of a type by name; all names are known when nothing of the type is declared, since the type is open then. */
function namesOf(schema: CedarSchema, type: 'Agent' | 'Tool'): (id: string) => EntityUid | undefined {
  const declared = schema.cedar['']?.entityTypes[type]
  if (declared === undefined || !('enum' in declared)) return (id) => entityUid(type, id)
  const known = new Map(declared.enum.map((id) => [id, entityUid(type, id)]))
  return (id) => known.get(id)
}

function refuse(message: string): QuestionResult {
  return { ok: false, message }
}
