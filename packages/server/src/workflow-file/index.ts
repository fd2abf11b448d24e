export { parseInput } from './input.ts'
export { type LoadedWorkflow, loadWorkflow } from './load-workflow.ts'
export { writeProblem } from './problem.ts'
