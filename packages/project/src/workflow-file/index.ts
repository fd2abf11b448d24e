export { parseInput } from './input.ts'
export { type LoadedWorkflow, loadWorkflow } from './load-workflow.ts'
