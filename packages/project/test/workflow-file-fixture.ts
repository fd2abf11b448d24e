import type { Operation, Origin } from '@tidegate/kernel'
import { z } from 'zod'
import { loadWorkflow } from '../src/workflow-file/index.ts'
import { writeProblem } from '../src/yaml/problem.ts'

/** An operation of a tool `box`, as far as a workflow file can tell. */
export function operation(id: string, input: z.ZodType, output: z.ZodType, mutability: 'read' | 'write'): Operation {
  const shape = (schema: z.ZodType) => ({
    parse: () => ({ ok: false as const, issues: [] }),
    jsonSchema: z.toJSONSchema(schema) as Operation['input']['jsonSchema'],
  })
  return {
    ...{ id, tool: 'box', title: id, description: '', input: shape(input), output: shape(output), mutability },
    ...{ dataClass: 'internal', blastRadius: 'single', risk: 'low', nature: [], reversibility: 'reversible', records: [] },
    ...{
      origins: {} as Readonly<Record<string, Origin>>,
      idempotency: 'none',
      timeoutMs: 1,
      maxAttempts: 1,
      settleMs: 0,
      secrets: [],
    },
    ...{ maxRecords: 1, canPreview: false, canReconcile: false, canVerify: false, schemaVersion: '0' },
  }
}

export const id = z.strictObject({ boxId: z.string() })
const OPERATIONS = [
  operation(
    'box.read',
    id,
    z.strictObject({
      id: z.string(),
      state: z.string(),
      items: z.array(z.strictObject({ id: z.string() })),
      extra: z.record(z.string(), z.string()),
    }),
    'read',
  ),
  operation(
    'box.close',
    z.strictObject({ boxId: z.string(), why: z.string().optional() }),
    z.strictObject({ state: z.string() }),
    'write',
  ),
  operation('box.burn', id, z.strictObject({}), 'write'),
]
export const OPTIONS = {
  file: 'w.yaml',
  find: (name: string) => OPERATIONS.find((o) => o.id === name),
  declared: OPERATIONS.map((o) => o.id),
  environment: 'production',
}

export const GOOD = `name: close-boxes
title: Close boxes
agent: box-agent
owners: { model: user:a, permissions: user:b, workflow: user:c, incidents: user:d }
trigger: { source: boxes, event: box.full }
stage: 2
planner: graph
operations:
  - id: box.read
    confine: { boxId: $input/boxId }
  - id: box.close
input:
  boxId: { origin: system }
  note: { required: false, maxLength: 20 }
success:
  operation: box.read
  arguments: { boxId: $input/boxId }
  expect: { state: closed }
graph:
  start: look
  nodes:
    look:
      operation: box.read
      arguments: { boxId: $input/boxId }
      goal: Look at it
      next: sort
    sort:
      classify: [$seen/box.read/state, $input/note]
      rules:
        - { any: [full], class: full, confidence: 0.95 }
      otherwise: { class: other, confidence: 0.2 }
      classes: { full: close, other: stop }
    close:
      operation: box.close
      arguments: { boxId: $seen/box.read/id, why: 'It is {{$seen/box.read/state}}' }
      goal: Close {{$input/boxId}}
      next: done
      onFailed: stop
    done: { finish: It is closed }
    stop: { finish: Not sure, escalate: true }
`

export function load(text: string | Uint8Array) {
  return loadWorkflow(text, OPTIONS)
}

export function problems(text: string | Uint8Array): readonly string[] {
  const answer = load(text)
  return answer.ok ? [] : answer.problems.map(writeProblem)
}
