import { isObject, type JsonObject, type Shape } from '@tidegate/kernel'
import { INPUT_LIMITS } from '../limits.ts'
import { copyPlain } from '../plain.ts'
import { type CheckValue, createCheck } from './check-value.ts'

/**
 * Makes a {@link Shape} of the clean schema of a tool's arguments: plain data within limits that fits it, copied. What the schema says about
 * names that it does not declare holds: when it says nothing, they pass.
 */
export function inputShape(schema: JsonObject): Shape {
  let check: CheckValue | undefined // made at the first call: most tools of a large server are never called
  return {
    jsonSchema: schema,
    parse(value) {
      const plain = copyPlain(value, INPUT_LIMITS)
      if (!plain.ok) return { ok: false, issues: [plain.issue] }
      if (!isObject(plain.value)) return { ok: false, issues: [{ path: '', message: 'must be object' }] }
      check ??= createCheck(schema)
      const issues = check(plain.value)
      return issues.length === 0 ? { ok: true, value: plain.value } : { ok: false, issues }
    },
  }
}
