import {
  CedarDatetime,
  CedarDecimal,
  type CedarRequest,
  type CedarValue,
  type Decision,
  type EstPolicy,
  type ExplainedPart,
  type ExplainedPolicy,
  type Explanation,
  matchPolicies,
  type PlacedPolicy,
  type PolicyRequest,
  type PolicyVerdict,
  type Remedy,
  resolveVerdict,
} from '@tidegate/kernel'
import { compileSources, parseExactly } from './compile-loaded.ts'
import { type ConditionPart, partsOf, policyOf } from './condition-parts.ts'
import type { LoadedPolicy } from './load.ts'
import type { AskCedar } from './request.ts'
import type { CedarSchema } from './schema.ts'

/** What an engine explains from. */
export interface Explainable {
  readonly version: string
  readonly policies: readonly LoadedPolicy[]
  readonly schema: CedarSchema
  readonly ask: AskCedar
  readonly evaluate: (request: PolicyRequest) => PolicyVerdict
}

/** Permits that came close, and are named when none permits. */
const MAX_NEAREST = 3
const MAX_FACT_LENGTH = 200

/**
 * Prepares explanations for one set of policies. Each part of each condition is compiled as a policy of its own, so that a part is
 * evaluated by the very code that decides.
 */
export function createExplainer(parts: Explainable): (request: PolicyRequest) => Explanation {
  const probes = parts.policies.map(probeOf)
  const compiled = compileSources(
    probes.flatMap(({ sources }) => sources),
    parts.schema,
  )
  const tracesOf = (request: PolicyRequest): readonly Trace[] => {
    const question = questionOf(request, parts.ask)
    if (question === undefined) return []
    const { permits, failures } = matchPolicies(compiled, question)
    const answers = { hold: new Set(permits), failed: new Set(failures.map(({ id }) => id)) }
    return probes.map((probe) => traceOf(probe, question, answers))
  }
  return (request) => {
    const verdict = parts.evaluate(request)
    const decision = resolveVerdict(verdict, parts.version)
    return explained(decision, verdict, tracesOf(request))
  }
}

/** Undefined for a request that cannot be put to Cedar: the verdict on it says why. */
function questionOf(request: PolicyRequest, ask: AskCedar): CedarRequest | undefined {
  try {
    const asked = ask(request)
    return asked.ok ? asked.question : undefined
  } catch {
    return undefined
  }
}

/** A policy with the small policies that look at its scope and at the parts of its condition. */
interface Probe {
  readonly policy: LoadedPolicy
  readonly parts: readonly ConditionPart[]
  readonly sources: readonly { readonly id: string; readonly policy: EstPolicy }[]
}

function probeOf(policy: LoadedPolicy): Probe {
  const exact = parseExactly(policy)
  const parts = partsOf(exact)
  const sources = [
    { id: `${policy.id}/scope`, policy: { ...exact, effect: 'permit' as const, conditions: [] } },
    ...parts.map(({ body }, index) => ({ id: `${policy.id}/${index}`, policy: policyOf(body) })),
  ]
  return { policy, parts, sources }
}

/** What became of a policy for one request. */
interface Trace {
  readonly policy: LoadedPolicy
  readonly inScope: boolean
  readonly parts: readonly (ExplainedPart & Pick<ConditionPart, 'kind'>)[]
}

/** Which of the small policies hold, and which cannot be evaluated. */
interface Answers {
  readonly hold: ReadonlySet<string>
  readonly failed: ReadonlySet<string>
}

function traceOf({ policy, parts }: Probe, question: CedarRequest, { hold, failed }: Answers): Trace {
  const traced: (ExplainedPart & Pick<ConditionPart, 'kind'>)[] = []
  for (const [index, { kind, text, facts }] of parts.entries()) {
    const id = `${policy.id}/${index}`
    const holds = failed.has(id) ? 'failed' : hold.has(id)
    traced.push({
      kind,
      text,
      holds,
      facts: Object.fromEntries(facts.map((way) => [`context.${way.join('.')}`, factOf(question, way)])),
    })
    // What stands behind it may be guarded by it: Cedar does not look at it either.
    if (holds !== (kind === 'needed')) break
  }
  return { policy, inScope: hold.has(`${policy.id}/scope`), parts: traced }
}

function explained(decision: Decision, verdict: PolicyVerdict, traces: readonly Trace[]): Explanation {
  const byId = new Map(traces.map((trace) => [trace.policy.id, trace]))
  const determining = decision.policies.flatMap(({ id }): ExplainedPolicy[] => {
    const trace = byId.get(id)
    return trace === undefined ? [] : [{ ...placed(trace.policy), because: satisfiedParts(trace) }]
  })
  const considered = traces.filter(({ inScope }) => inScope).length
  if (verdict.kind === 'broken') {
    const failing = traces.filter(({ inScope, parts }) => inScope && parts.some(({ holds }) => holds === 'failed'))
    const [failed] = failing.toSorted((a, b) => (a.policy.id < b.policy.id ? -1 : 1))
    return { decision, determining, considered, wouldAllow: [mended(verdict.message, failed)] }
  }
  return { decision, determining, considered, wouldAllow: remediesOf(verdict, traces, byId) }
}

function remediesOf(verdict: PolicyVerdict, traces: readonly Trace[], byId: ReadonlyMap<string, Trace>): readonly Remedy[] {
  if (verdict.kind === 'permitted' || verdict.kind === 'broken') return []
  const forbids = verdict.kind === 'forbidden' ? verdict.forbids : []
  const asking = forbids.filter(({ outcome }) => outcome === 'ask')
  const others = forbids.filter(({ outcome }) => outcome !== 'ask')
  const unforbid = others.flatMap(({ id }): Remedy[] => {
    const trace = byId.get(id)
    if (trace === undefined) return []
    const exceptions = trace.parts.filter(({ kind }) => kind === 'excluded')
    return [
      { kind: 'unforbid', policy: placed(trace.policy), holds: satisfiedParts(trace), exceptions: exceptions.map(withoutKind) },
    ]
  })
  // Nobody may be asked about what nothing permits, so it comes before the approvals.
  return [...unforbid, ...missingPermit(traces), ...approvalOf(asking)]
}

function approvalOf(asking: Extract<PolicyVerdict, { kind: 'forbidden' }>['forbids']): readonly Remedy[] {
  if (asking.length === 0) return []
  const { approvers } = resolveVerdict({ kind: 'forbidden', forbids: asking }, '')
  return [{ kind: 'approval', policies: asking.map(({ id }) => id), approvers }]
}

function missingPermit(traces: readonly Trace[]): readonly Remedy[] {
  const permits = traces.filter(({ policy }) => policy.effect === 'permit')
  if (permits.some((trace) => trace.inScope && failingParts(trace).length === 0)) return []
  const nearest = permits
    .map((trace) => ({ policy: placed(trace.policy), inScope: trace.inScope, fails: failingParts(trace) }))
    .toSorted(
      (a, b) => Number(b.inScope) - Number(a.inScope) || a.fails.length - b.fails.length || (a.policy.id < b.policy.id ? -1 : 1),
    )
  return [{ kind: 'permit', nearest: nearest.slice(0, MAX_NEAREST) }]
}

function satisfiedParts({ parts }: Trace): readonly ExplainedPart[] {
  return parts.filter(({ kind }) => kind === 'needed').map(withoutKind)
}

/** The parts that keep a policy from being satisfied. */
function failingParts({ parts }: Trace): readonly ExplainedPart[] {
  return parts.filter(({ kind, holds }) => holds !== (kind === 'needed')).map(withoutKind)
}

function withoutKind({ text, holds, facts }: ExplainedPart): ExplainedPart {
  return { text, holds, facts }
}

function placed({ id, reason, outcome, file, line }: LoadedPolicy): PlacedPolicy {
  return { id, reason, outcome, file, line }
}

function mended(message: string, failed: Trace | undefined): Remedy {
  return { kind: 'mend', policy: failed === undefined ? null : placed(failed.policy), message }
}

/** A fact as Cedar would write it, cut to a length. */
function factOf({ context }: CedarRequest, way: readonly string[]): string {
  const value = way.reduce<CedarValue | undefined>((owner, name) => {
    return typeof owner === 'object' && Object.hasOwn(owner, name)
      ? (owner as Readonly<Record<string, CedarValue>>)[name]
      : undefined
  }, context)
  const text = value === undefined ? 'missing' : write(value)
  return text.length > MAX_FACT_LENGTH ? `${text.slice(0, MAX_FACT_LENGTH)}...` : text
}

function write(value: CedarValue): string {
  if (value instanceof CedarDatetime) return `datetime("${new Date(Number(value.epochMs)).toISOString()}")`
  if (value instanceof CedarDecimal) return `decimal("${Number(value.scaled) / 10_000}")`
  return JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each))
}
