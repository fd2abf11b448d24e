export { z } from 'zod'
export {
  type CompensationDeclaration,
  done,
  failed,
  operation,
  type OperationDeclaration,
  type ToolCall,
  type ToolDeclaration,
  type Verification,
} from './declaration.ts'
export { defineTool } from './define-tool.ts'
export { TOOLS_ERROR_CODES, ToolsError, type ToolIssue, type ToolsErrorCode } from './error.ts'
export { parseSettings, resolveTool, type Tool, type ToolContext, type ToolExport } from './tool.ts'
export type { FlowDeclaration, FlowInput, FlowOutput, ValueType } from '@tidegate/kernel'
