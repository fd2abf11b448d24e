export { createOpenClawAdapter } from './adapter.ts'
export { hostTools, type OpenClawBinding, type OpenClawTools } from './tools.ts'
