export type { AgentPlan } from './agent/agent-plan.ts'
export { agentPrompt } from './agent/agent-prompt.ts'
export { type AgentPlannerOptions, createAgentPlanner } from './agent/create-agent-planner.ts'
export { createGraphPlanner, type GraphPlannerOptions } from './graph/create-graph-planner.ts'
export {
  type AskModel,
  type BranchNode,
  type ClassifyNode,
  type ClassRule,
  type ClassRules,
  type Condition,
  type ExtractByModel,
  type ExtractNode,
  type ExtractRules,
  type FieldRule,
  type FinishNode,
  type GiveUpNode,
  type Graph,
  type GraphNode,
  type Matcher,
  type ModelField,
  needsModel,
  type OperationNode,
  type Pick as PickRule,
  type Test as BranchTest,
  type Verdict,
} from './graph/graph.ts'
export type { ModelPrice, ModelUse } from './model-use.ts'
