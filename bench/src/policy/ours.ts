import { readdirSync, readFileSync } from 'node:fs'
import {
  createCedarEngine,
  createOracleEngine,
  type CedarSchema,
  generateSchema,
  MAX_POLICIES,
  type PolicyFile,
  readPolicies,
} from '@tidegate/cedar'
import {
  authorizeNarrowly,
  type CedarRequest,
  compilePolicies,
  entityUid,
  NEUTRAL_FACTS,
  type PolicyEngine,
  type PolicyRequest,
  resolveVerdict,
} from '@tidegate/kernel'
import { cedarCall, cedarTexts } from './cedar-text.ts'
import type { EngineUnderTest, LoadedEngine } from './measure.ts'
import { type Answer, decideByIndex, worstOf } from './reference.ts'
import { agentNames, type PolicyQuestion, type PolicySet, toolNames } from './set.ts'

const VERSION = '0.1.0'

/** The compiled form alone: the same question, with no more context, that Cedar's own evaluator gets. */
export const ours: EngineUnderTest<CedarRequest> = {
  version: VERSION,
  notes:
    "Cedar text, parsed by Cedar, compiled to closures behind an index of scopes; any policy that fails denies; asked Cedar's question",
  load(set) {
    const { policies, issues } = readPolicies(filesOf(set))
    if (issues.length > 0) throw new Error(`the set does not load: ${issues[0]?.message}`)
    const compiled = compilePolicies(policies.map(({ id, json }) => ({ id, policy: json })))
    const outcomes = new Map(policies.map(({ id, outcome }) => [id, outcome]))
    return {
      prepare: (question) => {
        const { principal, action, resource, context } = cedarCall(question)
        return {
          principal: entityUid(principal.type, principal.id),
          action: entityUid(action.type, action.id),
          resource: entityUid(resource.type, resource.id),
          context: { ...context },
        }
      },
      decide: (request) => {
        const answer = authorizeNarrowly(compiled, request)
        if (answer.kind === 'permitted') return ALLOWED
        if (answer.kind !== 'forbidden') return DENIED
        return worstOf(answer.forbids.map((id) => ({ id, outcome: outcomes.get(id) ?? 'deny' })))
      },
    }
  },
}

/** Why the product cannot be measured with a set of this size; undefined if it can. A permit and a profile come on top of the set. */
export function refusalOfProduct(policies: number): string | undefined {
  return policies < MAX_POLICIES - 100 ? undefined : `the product refuses to load more than ${MAX_POLICIES} policies`
}

/**
 * What an action of the product is decided with: policies checked against the schema of a project, a request with all eight
 * dimensions, checked against the schema, and the decision with its reasons and approvers as the ledger has it.
 */
export const oursProduct: EngineUnderTest<PolicyRequest> = {
  version: VERSION,
  notes:
    'the engine of the product: all eight dimensions, request checked against the schema, decision with reasons and approvers',
  load: (set) => productOf(createCedarEngine({ policies: filesOf(set), schema: schemaOfProject() })),
}

/** The same with the profile `balanced` on top of the set. Cedar's own engine, asked about all of it, says what is right. */
export const oursBalanced: EngineUnderTest<PolicyRequest> = {
  version: VERSION,
  notes: 'the engine of the product with the policies of the profile balanced on top of the set; compared with cedar-wasm',
  load: (set) => productOf(createCedarEngine({ policies: [...balancedProfile(), ...filesOf(set)], schema: schemaOfProject() })),
  reference: (set) => {
    const oracle = createOracleEngine({ policies: [...balancedProfile(), ...filesOf(set)], schema: schemaOfProject() })
    const { prepare, decide } = productOf(oracle)
    return (question) => ({ policies: [], ...decide(prepare(question)) })
  },
}

function productOf(engine: PolicyEngine): LoadedEngine<PolicyRequest> {
  return {
    prepare: policyRequest,
    decide: (request): Answer => {
      const { outcome, policies } = resolveVerdict(engine.evaluate(request), engine.version)
      return outcome === 'allow' ? ALLOWED : { outcome, policies: policies.map(({ id }) => id) }
    },
  }
}

function schemaOfProject(): CedarSchema {
  const operations = toolNames().map((tool) => ({ id: `${tool}.call`, tool, input: INPUT }))
  const workflows = agentNames().map((agent) => ({ name: 'bench', agent }))
  return generateSchema(operations, workflows, { meters: ['callsPerHour'] })
}

function balancedProfile(): readonly PolicyFile[] {
  const folder = new URL('../../../packages/cedar/profiles/balanced/', import.meta.url)
  const names = readdirSync(folder).filter((name) => name.endsWith('.cedar'))
  return names.map((name) => ({ file: `balanced/${name}`, text: readFileSync(new URL(name, folder), 'utf8') }))
}

/** The rules by hand. */
export const typescript: EngineUnderTest<PolicyQuestion> = {
  version: `Node ${process.versions.node}`,
  notes: 'the rules by hand in TypeScript, with an index: the floor of what a policy language can cost',
  load: (set) => ({ prepare: (question) => question, decide: decideByIndex(set) }),
}

const ALLOWED: Answer = { outcome: 'allow', policies: [] }
const DENIED: Answer = { outcome: 'deny', policies: [] }

const INPUT = {
  jsonSchema: {
    type: 'object',
    properties: { amount: { type: 'integer' }, customer: { type: 'string' }, note: { type: 'string' } },
    required: ['amount', 'customer', 'note'],
    additionalProperties: false,
  },
  parse: (value: unknown) => ({ ok: true, value }),
} as const

/** A file may be only so large. */
const POLICIES_PER_FILE = 500

function filesOf(set: PolicySet): readonly PolicyFile[] {
  const texts = cedarTexts(set).map(({ text }) => text)
  return Array.from({ length: Math.ceil(texts.length / POLICIES_PER_FILE) }, (_, index) => ({
    file: `bench-${index}.cedar`,
    text: texts.slice(index * POLICIES_PER_FILE, (index + 1) * POLICIES_PER_FILE).join('\n\n'),
  }))
}

/** The product's request is larger than the question: what the rules do not ask about is as in an ordinary run. */
function policyRequest(question: PolicyQuestion): PolicyRequest {
  const { agent, tool, clearances, callsPerHour, amount } = question
  const { environment, risk, mutability, dataClass, reversible, confidence } = question
  return {
    agent,
    workflow: 'bench',
    operation: `${tool}.call`,
    tool,
    user: 'user:ada',
    client: 'client:console',
    context: {
      ...NEUTRAL_FACTS,
      ...{ environment, risk, mutability, dataClass, reversible, confidence },
      blastRadius: 'single',
      nature: ['customer-visible'],
      stage: 3,
      actors: ['user:ada', 'client:console', `agent:${agent}`],
      roles: clearances,
      records: 1,
      time: { nowMs: 1_795_000_000_000, hour: 14, weekday: 3 },
      meters: { callsPerHour },
      origins: ['user', 'workflow'],
      arguments: { amount, customer: 'cus-4711', note: 'as agreed on the phone' },
    },
  }
}
