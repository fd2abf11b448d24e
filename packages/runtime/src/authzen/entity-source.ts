import { type EntityAnswer, type EntityPolicy, resolveVerdict } from '@tidegate/kernel'
import type { DecisionSource } from './port.ts'

/** Decides on the entities of a project's own types, by its own policies for them. It covers every type, known or not. */
export function createEntitySource(policy: EntityPolicy): DecisionSource {
  return {
    covers: () => true,
    async judge(request, approvals) {
      const answer = answerOf(policy, { ...request, approvals })
      if (answer.kind === 'unknown') return answer
      return { kind: 'decided', decision: resolveVerdict(answer.verdict, policy.version) }
    },
    subjects: (type) => policy.entities(type),
    resources: (type) => policy.entities(type),
    actions: (subjectType, resourceType) => policy.actions(subjectType, resourceType),
    relevantContext: (action) => policy.contextMembers(action),
  }
}

/** I6: an engine that breaks its contract and throws is a broken policy, and denies. */
function answerOf(policy: EntityPolicy, request: Parameters<EntityPolicy['evaluate']>[0]): EntityAnswer {
  try {
    return policy.evaluate(request)
  } catch {
    return { kind: 'judged', verdict: { kind: 'broken', message: 'the policy engine failed' } }
  }
}
