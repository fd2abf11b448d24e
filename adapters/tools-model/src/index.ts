export {
  createModelProxy,
  type HostModel,
  type ModelProxy,
  type ModelProxyOptions,
  type OpenedModelCall,
} from './create-model-proxy.ts'
export { TOOLS_MODEL_ERROR_CODES, ToolsModelError, type ToolsModelErrorCode } from './error.ts'
export { FORWARD_LIMITS, type ForwardLimits, type ModelSink } from './forward.ts'
export { MODEL_OPERATION, MODEL_TOOL, modelOperation } from './operation.ts'
export type { ModelRequest, Unprepared } from './prepare.ts'
export type { ModelPrice } from './usage.ts'
