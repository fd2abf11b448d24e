import type { Workflow } from '@tidegate/kernel'
import { AGENT_DEFAULTS, type AgentPlan } from './agent-plan.ts'
import { writeSystem } from './prompt.ts'

/** The standing instructions to the model of a workflow, word for word: what is recorded when they change. */
export function agentPrompt(plan: AgentPlan, workflow: Workflow): string {
  return writeSystem({ ...AGENT_DEFAULTS, ...plan }, { workflow })
}
