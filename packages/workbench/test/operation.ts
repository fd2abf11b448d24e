import type { Operation } from '@tidegate/kernel'

/** An operation without arguments that reads and returns nothing, changed as said. */
export function operation(id: string, change: Partial<Operation> = {}): Operation {
  const shape = {
    parse: () => ({ ok: true as const, value: {} }),
    jsonSchema: { type: 'object', properties: {}, additionalProperties: false },
  }
  return {
    ...{ id, tool: id.slice(0, id.indexOf('.')), title: id, description: '', input: shape, output: shape },
    ...{ mutability: 'read', dataClass: 'internal', blastRadius: 'single', risk: 'low', nature: [], reversibility: 'reversible' },
    ...{ records: [], maxRecords: 1, origins: {}, idempotency: 'none', timeoutMs: 1, maxAttempts: 1, settleMs: 0, secrets: [] },
    ...{ canPreview: false, canReconcile: false, canVerify: false, schemaVersion: '0' },
    ...change,
  }
}

/** The input of an operation as a JSON Schema of one object with these members. */
export function inputOf(properties: Operation['input']['jsonSchema'], required: readonly string[]): Operation['input'] {
  return {
    parse: () => ({ ok: true, value: {} }),
    jsonSchema: { type: 'object', properties, required: [...required], additionalProperties: false },
  }
}
