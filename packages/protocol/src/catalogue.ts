import { z } from 'zod'
import { wireCount, wireJson, wireLine, wireList, wireText } from './text.ts'

/** One verb of a tool, as its owner declares it. */
export const operationSchema = z.object({
  id: wireLine,
  tool: wireLine,
  title: wireLine,
  description: wireText,
  mutability: wireLine,
  dataClass: wireLine,
  blastRadius: wireLine,
  risk: wireLine,
  reversibility: wireLine,
  records: wireList(wireLine),
  maxRecords: wireCount,
  idempotency: wireLine,
  timeoutMs: wireCount,
  maxAttempts: wireCount,
  canPreview: z.boolean(),
  canReconcile: z.boolean(),
  canVerify: z.boolean(),
  canCompensate: z.boolean(),
  /** Names only. */
  secrets: wireList(wireLine),
  schemaVersion: wireLine,
  input: wireJson,
  output: wireJson,
})
export type WireOperation = z.infer<typeof operationSchema>

/** `GET /v1/tools`. */
export const toolListSchema = z.object({ tools: wireList(z.object({ tool: wireLine, operations: wireList(operationSchema) })) })
/** `GET /v1/tools/:id`: a tool, or one of its operations. */
export const toolSchema = z.object({ tool: wireLine, operations: wireList(operationSchema) })
export type WireTool = z.infer<typeof toolSchema>

/** A workflow, as it is in force. */
export const workflowSchema = z.object({
  name: wireLine,
  version: wireLine,
  title: wireLine,
  agent: wireLine,
  owners: z.record(wireLine, wireLine),
  environment: wireLine,
  stage: wireCount,
  operations: wireList(z.object({ id: wireLine, confine: z.record(wireLine, wireLine) })),
  limits: z.record(wireLine, wireCount),
  /** Null when a run is one call, whose own answer shows whether it succeeded. */
  success: z.object({ operation: wireLine, arguments: wireJson, expect: wireJson }).nullable(),
  onFailure: wireLine,
})
export type WireWorkflow = z.infer<typeof workflowSchema>

/** `GET /v1/workflows`. */
export const workflowListSchema = z.object({ workflows: wireList(workflowSchema) })

/** `GET /v1/health`: says that the gateway answers, and nothing else. */
export const healthSchema = z.object({ status: z.literal('ok') })

/** `GET /v1/me`: who the token belongs to, and which version answers. */
export const meSchema = z.object({ id: wireLine, roles: wireList(wireLine), version: wireLine })
export type WireMe = z.infer<typeof meSchema>
