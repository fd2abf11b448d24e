import {
  isObject,
  type Json,
  type JsonObject,
  leavesOf,
  type Operation,
  type Planner,
  type Shape,
  type ShapeIssue,
  type Workflow,
} from '@tidegate/kernel'
import { BUILTIN_TOOL } from './part.ts'

/** What one field of a built-in operation takes. */
export interface Field {
  readonly schema: JsonObject
  readonly optional?: boolean
  /** Says what is wrong with a value; undefined when nothing is. */
  readonly refuse: (value: Json) => string | undefined
}

/** A text of limited length. */
export function textField(maxLength: number, options: { readonly pattern?: RegExp; readonly optional?: boolean } = {}): Field {
  const { pattern, optional = false } = options
  return {
    optional,
    schema: { type: 'string', maxLength, ...(pattern === undefined ? {} : { pattern: pattern.source }) },
    refuse: (value) => {
      if (typeof value !== 'string' || value.length > maxLength) return `expected a text of at most ${maxLength} characters`
      return pattern === undefined || pattern.test(value) ? undefined : `expected ${pattern.source}`
    },
  }
}

/** Hex SHA-256, as versions are written. */
export const VERSION_FIELD = textField(64, { pattern: /^[0-9a-f]{64}$/ })

/** An object with exactly these fields; what is not named is refused. */
export function objectShape(fields: Readonly<Record<string, Field>>): Shape {
  const names = Object.keys(fields)
  const jsonSchema: JsonObject = {
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, fields[name]?.schema ?? {}])),
    required: names.filter((name) => fields[name]?.optional !== true),
    additionalProperties: false,
  }
  return {
    jsonSchema,
    parse(value) {
      if (!isObject(value)) return { ok: false, issues: [{ path: '', message: 'expected an object' }] }
      const issues = names.flatMap((name): readonly ShapeIssue[] => {
        const given = Object.hasOwn(value, name) ? value[name] : undefined
        const field = fields[name]
        if (given === undefined || field === undefined)
          return field?.optional === true ? [] : [{ path: `/${name}`, message: 'is missing' }]
        const message = field.refuse(given)
        return message === undefined ? [] : [{ path: `/${name}`, message }]
      })
      const foreign = Object.keys(value).filter((name) => !names.includes(name))
      const all = [...issues, ...foreign.map((name) => ({ path: `/${name.slice(0, 60)}`, message: 'is not known' }))]
      return all.length === 0 ? { ok: true, value } : { ok: false, issues: all }
    },
  }
}

/** What every built-in operation has in common, unless it says otherwise. */
export function ownOperation(
  id: string,
  declared: Pick<Operation, 'title' | 'description' | 'input' | 'output' | 'schemaVersion'> & Partial<Operation>,
): Operation {
  return {
    id,
    tool: BUILTIN_TOOL,
    mutability: 'write',
    dataClass: 'internal',
    blastRadius: 'admin',
    risk: 'high',
    nature: [],
    reversibility: 'reversible',
    records: [],
    maxRecords: 1,
    origins: { '': 'system' },
    idempotency: 'none',
    timeoutMs: 30_000,
    maxAttempts: 1,
    settleMs: 0,
    secrets: [],
    canPreview: false,
    canReconcile: false,
    canVerify: false,
    ...declared,
  }
}

/** A workflow of one call: its agent is Tidegate itself. */
export function ownWorkflow(
  declared: Pick<Workflow, 'name' | 'title' | 'operations' | 'success'> & Partial<Pick<Workflow, 'limits' | 'version'>>,
  environment: string,
): Workflow {
  const owner = BUILTIN_TOOL
  return {
    version: '1',
    agent: BUILTIN_TOOL,
    owners: { model: owner, permissions: owner, workflow: owner, incidents: owner },
    environment,
    stage: 4,
    limits: { steps: 8, wallMs: 600_000, tokens: 1, costMicros: 1, repeats: 2, approvalMs: 604_800_000 },
    inputOrigins: {},
    onFailure: 'undo',
    ...declared,
  }
}

/** Proposes one call of one operation with the input of the run as its arguments, and nothing else. */
export function createOneCallPlanner(operation: string, words: { readonly goal: string }): Planner {
  return {
    immediate: true,
    next: async ({ state }) => {
      const call = state.actions.find(({ proposed }) => proposed.purpose === 'act')
      if (call === undefined) {
        const args = state.opened.sealed.input
        const origins = Object.fromEntries(leavesOf(args).map(([pointer]) => [pointer, ['user'] as const]))
        const why = typeof args.why === 'string' && args.why !== '' ? args.why : 'No reason was given.'
        const proposal = { goal: words.goal, operation, arguments: args, justification: why, confidence: 10_000, origins }
        return { kind: 'propose', proposal }
      }
      if (call.state === 'done') return { kind: 'finish', reason: 'It has answered.', escalate: false }
      return { kind: 'give_up', reason: 'It was not done.' }
    },
  }
}
