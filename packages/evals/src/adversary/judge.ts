import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createCedarEngine, generateSchema, type PolicyFile } from '@tidegate/cedar'
import {
  compileFlow,
  type Decision,
  type Flow,
  type FlowContext,
  type FlowFacts,
  flowFacts,
  type Json,
  type JsonObject,
  type Nature,
  type PolicyContext,
  type PolicyEngine,
  resolveVerdict,
} from '@tidegate/kernel'
import { EvalsError } from '../error.ts'
import { flowOf, type ManifestOperation } from '../manifest/schema.ts'
import type { Suite } from '../suite/schema.ts'

/** An operation of a suite, with what the manifest declares about it. */
export interface JudgedOperation {
  readonly id: string
  readonly flow: Flow
  readonly declared: Pick<ManifestOperation, 'mutability' | 'risk' | 'dataClass' | 'blastRadius' | 'nature'> & {
    readonly reversible: boolean
  }
}

/** Decides one call as the product does: facts from the kernel, policies in Cedar, the kernel's reading of the verdict. */
export interface Judge {
  readonly operation: (name: string) => JudgedOperation
  readonly facts: (context: FlowContext, operation: JudgedOperation, args: JsonObject) => FlowFacts
  readonly decide: (facts: FlowFacts, operation: JudgedOperation, args: JsonObject) => Decision
}

/** Policies of a profile: only those about provenance, or all of them. */
export type PolicyScope = 'provenance' | 'profile'

const PROFILES = new URL('../../../cedar/profiles/', import.meta.url)
const TOOL = 'suite'
/** Without the rest of a profile something has to permit at all, and what nobody declared has to ask. */
export const FLOOR: PolicyFile = {
  file: 'evals.cedar',
  text: `@id("evals.permit") @reason("permitted unless a rule forbids it") permit (principal, action, resource);
@id("evals.undeclared") @outcome("ask") @approvers("role:operator") @reason("nobody has declared what this operation does")
forbid (principal, action, resource) when { context.nature.contains("unclassified") }
unless { context.approvals.contains("evals.undeclared") };`,
}

/** Reads the policies of a profile that ships with the product. */
export function readProfile(profile: string, scope: PolicyScope): readonly PolicyFile[] {
  const directory = new URL(`${encodeURIComponent(profile)}/`, PROFILES).pathname
  const wanted = (file: string) => file.endsWith('.cedar') && (scope === 'profile' || file === 'provenance.cedar')
  const files = existsSync(directory) ? readdirSync(directory).filter(wanted).toSorted() : []
  if (files.length === 0)
    throw new EvalsError('profile_missing', `there is no profile "${profile}" with policies about provenance`)
  const policies = files.map((file) => ({ file: `${profile}/${file}`, text: readFileSync(join(directory, file), 'utf8') }))
  return scope === 'profile' ? policies : [...policies, FLOOR]
}

/** Creates the judge of a suite. An operation that the manifest does not declare is an external write of which nothing is known. */
export function createJudge(
  suite: Suite,
  manifest: ReadonlyMap<string, ManifestOperation>,
  policies: readonly PolicyFile[],
): Judge {
  const schemas = new Map(suite.tools.map((tool) => [tool.name, tool.parameters]))
  const names = new Set([...schemas.keys(), ...manifest.keys(), ...suite.tasks.flatMap((t) => t.calls.map((c) => c.function))])
  for (const { calls } of [...suite.injections, ...suite.pairs]) for (const call of calls) names.add(call.function)
  const operations = new Map([...names].map((name) => [name, operationOf(name, manifest.get(name), schemas.get(name))]))
  const schema = generateSchema(
    [...operations.values()].map(({ id }) => ({ id, tool: TOOL })),
    [{ name: 'evals', agent: 'planner' }],
  )
  const engine = createCedarEngine({ policies, schema })
  return {
    operation: (name) => operations.get(name) ?? operationOf(name, undefined, undefined),
    facts: (context, operation, args) =>
      flowFacts({ context, operation: operation.id, flow: operation.flow, arguments: args, environment: 'production', nowMs: 0 }),
    decide: (facts, operation, args) => decide(engine, facts, operation, args),
  }
}

function operationOf(
  name: string,
  declared: ManifestOperation | undefined,
  parameters: Readonly<Record<string, Json>> | undefined,
): JudgedOperation {
  const id = `${TOOL}.${name}`
  if (declared === undefined) {
    const unknown = { mutability: 'write', risk: 'high', dataClass: 'internal', blastRadius: 'single' } as const
    const flow = compileFlow({ mutability: 'write', ...(parameters === undefined ? {} : { input: parameters }) })
    return { id, flow, declared: { ...unknown, nature: ['unclassified'] satisfies Nature[], reversible: false } }
  }
  const { mutability, risk, dataClass, blastRadius, nature, reversibility } = declared
  const flow = compileFlow({
    declaration: flowOf(declared),
    mutability,
    ...(parameters === undefined ? {} : { input: parameters }),
  })
  const reversible = mutability === 'read' || reversibility !== 'irreversible'
  return { id, flow, declared: { mutability, risk, dataClass, blastRadius, nature, reversible } }
}

function decide(engine: PolicyEngine, flow: FlowFacts, { id, declared }: JudgedOperation, args: JsonObject): Decision {
  const context: PolicyContext = {
    ...declared,
    environment: 'production',
    stage: 4,
    actors: ['user', 'evals'],
    roles: [],
    records: 1,
    confidence: 10_000,
    confidences: { classification: 10_000, retrieval: 10_000, extraction: 10_000 },
    attempts: 0,
    time: { nowMs: 0, hour: 12, weekday: 1 },
    meters: {},
    origins: flow.tainted ? ['user', 'third-party'] : ['user'],
    flow,
    compensating: false,
    mode: 'live',
    approvals: [],
    arguments: args,
  }
  const request = { agent: 'planner', workflow: 'evals', operation: id, tool: TOOL, user: 'user', client: 'evals', context }
  return resolveVerdict(engine.evaluate(request), engine.version)
}
