import type { Operation, Workflow } from '@tidegate/kernel'
import type { WireOperation, WireWorkflow } from '@tidegate/protocol'
import { clip } from '../reply.ts'

/** An operation as its owner declares it, without the functions. */
export function renderOperation(operation: Operation): WireOperation {
  const { id, tool, mutability, dataClass, blastRadius, risk, reversibility, records, maxRecords, idempotency, timeoutMs } =
    operation
  const { maxAttempts, canPreview, canReconcile, canVerify, compensation, secrets, schemaVersion, input, output } = operation
  return {
    id,
    tool,
    title: clip(operation.title),
    description: clip(operation.description, 262_144),
    mutability,
    dataClass,
    blastRadius,
    risk,
    reversibility,
    records,
    maxRecords,
    idempotency,
    timeoutMs,
    maxAttempts,
    canPreview,
    canReconcile,
    canVerify,
    canCompensate: compensation !== undefined,
    secrets,
    schemaVersion,
    input: input.jsonSchema,
    output: output.jsonSchema,
  }
}

/** A workflow as it is in force. */
export function renderWorkflow(workflow: Workflow): WireWorkflow {
  const { name, version, title, agent, owners, environment, stage, operations, limits, success, onFailure } = workflow
  return {
    name,
    version,
    title: clip(title),
    agent,
    owners: { ...owners },
    environment,
    stage,
    operations: [...operations].map(([id, { confine }]) => ({ id, confine: { ...confine } })),
    limits: { ...limits },
    success:
      success === null ? null : { operation: success.operation, arguments: success.arguments, expect: { ...success.expect } },
    onFailure,
  }
}
