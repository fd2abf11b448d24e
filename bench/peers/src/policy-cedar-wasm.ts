import { preparsePolicySet, statefulIsAuthorized, type StatefulAuthorizationCall } from '@cedar-policy/cedar-wasm/nodejs'
import { cedarCall, type CedarText, cedarTexts } from '../../src/policy/cedar-text.ts'
import { parseMeasureOptions } from '../../src/policy/contender-line.ts'
import { type EngineUnderTest, measureEngine } from '../../src/policy/measure.ts'
import { type Answer, worstOf } from '../../src/policy/reference.ts'
import type { PolicySet } from '../../src/policy/set.ts'
import { installedVersion } from './installed-version.ts'

const [name, ...options] = process.argv.slice(2)

const cedarWasm: EngineUnderTest<StatefulAuthorizationCall> = {
  version: installedVersion('@cedar-policy/cedar-wasm'),
  notes:
    name === 'cedar-wasm-sliced'
      ? 'stateful; a policy set for each agent: the rules for everybody and its own; no schema, no entities'
      : 'stateful; one policy set; no schema, no entities',
  load: (set) => {
    const texts = cedarTexts(set)
    const setOf = name === 'cedar-wasm-sliced' ? loadSlices(set, texts) : loadOne(texts)
    const outcomes = new Map(texts.map(({ id, outcome }) => [id, outcome]))
    return {
      prepare: (question) => ({ ...cedarCall(question), preparsedPolicySetId: setOf(question.agent), entities: [] }),
      decide: (call) => readAnswer(call, outcomes),
    }
  },
}

function loadOne(texts: readonly CedarText[]): () => string {
  preparse('all', texts)
  return () => 'all'
}

function loadSlices(set: PolicySet, texts: readonly CedarText[]): (agent: string) => string {
  for (const agent of set.clearances.keys()) {
    const slice = texts.filter((policy) => policy.agent === undefined || policy.agent === agent)
    preparse(agent, slice)
  }
  return (agent) => agent
}

function preparse(id: string, texts: readonly CedarText[]): void {
  const answer = preparsePolicySet(id, { staticPolicies: Object.fromEntries(texts.map((policy) => [policy.id, policy.text])) })
  if (answer.type === 'failure') throw new Error(answer.errors.map((error) => error.message).join('; '))
}

/** Cedar allows or denies and names the policies; the outcome stands in their annotations, which it does not return. */
function readAnswer(call: StatefulAuthorizationCall, outcomes: ReadonlyMap<string, CedarText['outcome']>): Answer {
  const answer = statefulIsAuthorized(call)
  if (answer.type === 'failure' || answer.response.diagnostics.errors.length > 0) return { outcome: 'deny' }
  const { decision, diagnostics } = answer.response
  if (decision === 'allow') return { outcome: 'allow', policies: [] }
  return worstOf(diagnostics.reason.map((id) => ({ id, outcome: outcomes.get(id) ?? 'deny' })))
}

console.log(JSON.stringify(await measureEngine(cedarWasm, parseMeasureOptions(options))))
