export { describeModelContract, type ModelContract, type OpenModel } from './contract.ts'
export {
  type DropReply,
  type EventsReply,
  type FloodReply,
  type HangReply,
  type ModelServer,
  type ModelServerOptions,
  type RawReply,
  type SeenRequest,
  type ServerReply,
  startModelServer,
} from './model-server.ts'
export type {
  Script,
  ScriptedCall,
  ScriptedCalls,
  ScriptedFailure,
  ScriptedRefusal,
  ScriptedReply,
  ScriptedSilence,
  ScriptedText,
} from './script.ts'
export { createScriptedModel, type ScriptedModel, type ScriptedModelOptions } from './scripted-model.ts'
