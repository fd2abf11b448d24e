import { isObject, type Json, type JsonObject, type Operation, type Shape, type ShapeResult } from '@tidegate/kernel'

/**
 * Checks and normalises as a real validator does: texts are trimmed, unknown keys vanish. So the normal form differs from what a
 * planner wrote, and a digest over the wrong one is noticed.
 */
function shapeOf(fields: Readonly<Record<string, 'text' | 'number'>>): Shape {
  return {
    jsonSchema: { type: 'object', required: Object.keys(fields) },
    parse(value): ShapeResult {
      if (!isObject(value)) return { ok: false, issues: [{ path: '', message: 'expected an object' }] }
      const kept: Record<string, Json> = {}
      for (const [name, kind] of Object.entries(fields)) {
        const field = (value as JsonObject)[name]
        if (kind === 'text' ? typeof field !== 'string' : typeof field !== 'number')
          return { ok: false, issues: [{ path: `/${name}`, message: `expected a ${kind}` }] }
        kept[name] = typeof field === 'string' ? field.trim() : (field ?? null)
      }
      return { ok: true, value: kept }
    },
  }
}

const DEED: Shape = {
  jsonSchema: { type: 'object' },
  parse: (value) =>
    isObject(value) && typeof value.deed === 'string'
      ? { ok: true, value }
      : { ok: false, issues: [{ path: '/deed', message: 'expected a deed' }] },
}

const SEEN: Shape = {
  jsonSchema: { type: 'object' },
  parse: (value) => (isObject(value) ? { ok: true, value } : { ok: false, issues: [{ path: '', message: 'expected a record' }] }),
}

function operation(id: string, input: Shape, changes: Partial<Operation>): Operation {
  return {
    id,
    tool: id.split('.', 1)[0] ?? '',
    title: id,
    description: id,
    input,
    output: DEED,
    mutability: 'write',
    dataClass: 'customer',
    blastRadius: 'single',
    risk: 'medium',
    nature: [],
    reversibility: 'compensable',
    records: ['/id'],
    maxRecords: 1,
    origins: {},
    idempotency: 'none',
    timeoutMs: 1_000,
    maxAttempts: 3,
    settleMs: 0,
    secrets: ['token'],
    canPreview: false,
    canReconcile: true,
    canVerify: true,
    schemaVersion: `${id}/1`,
    ...changes,
  }
}

/** Takes back by naming the deed. Reads the answer as its author would, without asking whether there was one. */
const takeBack = (id: string): NonNullable<Operation['compensation']> => {
  return ({ output }) => ({ operation: id, arguments: { deed: (output as JsonObject).deed ?? null } })
}

const RECORD = shapeOf({ id: 'text' })
const AMOUNT = shapeOf({ id: 'text', amount: 'number' })
const TEXT = shapeOf({ id: 'text', text: 'text' })
const TAKEN = shapeOf({ deed: 'text' })

/** What the fake far side can do: one operation for every way in which an operation may be declared. */
export const WORLD_OPERATIONS: readonly Operation[] = [
  operation('desk.read', RECORD, {
    mutability: 'read',
    reversibility: 'irreversible',
    output: SEEN,
    canReconcile: false,
    canVerify: false,
    risk: 'low',
  }),
  operation('desk.set', shapeOf({ id: 'text', value: 'text' }), {
    reversibility: 'reversible',
    compensation: ({ arguments: args, output }) => ({
      operation: 'desk.set',
      arguments: { id: (args as JsonObject).id ?? null, value: (output as JsonObject).previous ?? null },
    }),
  }),
  operation('desk.refund', AMOUNT, { risk: 'high', canPreview: true, compensation: takeBack('desk.cancel') }),
  operation('desk.slow', AMOUNT, { settleMs: 4_000, compensation: takeBack('desk.cancel') }),
  operation('desk.credit', AMOUNT, { canReconcile: false, compensation: takeBack('desk.revoke') }),
  operation('desk.export', RECORD, { reversibility: 'irreversible', dataClass: 'regulated', risk: 'high', canPreview: true }),
  operation('mail.send', TEXT, {
    idempotency: 'key',
    canReconcile: false,
    settleMs: 3_000,
    compensation: takeBack('mail.recall'),
  }),
  operation('mail.post', TEXT, { idempotency: 'key', canPreview: true, compensation: takeBack('mail.recall') }),
  operation('desk.cancel', TAKEN, { records: ['/deed'], reversibility: 'irreversible' }),
  operation('desk.revoke', TAKEN, { records: ['/deed'], reversibility: 'irreversible', canVerify: false }),
  operation('mail.recall', TAKEN, { records: ['/deed'], reversibility: 'irreversible', timeoutMs: 500 }),
]
