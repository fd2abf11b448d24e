export { type InputFields, parseInput } from './input.ts'
export { type LoadAnswer, type LoadedWorkflow, type LoadOptions, loadWorkflow } from './load-workflow.ts'
export { type FileProblem, writeProblem } from './problem.ts'
export type { InputField } from './schema.ts'
