import { generateSchema } from '@tidegate/cedar'
import { lintPolicies } from './src/lint/lint-policies.ts'
const ops = Array.from({ length: 50 }, (_, i) => ({ id: `desk.op${i}`, tool: 'desk' }))
const schema = generateSchema(ops, [{ name: 'w', agent: 'a' }])
const risks = ['low', 'medium', 'high', 'critical']
const n = Number(process.argv[2])
const text = Array.from(
  { length: n },
  (_, i) =>
    `@id("p${i}") @reason("x") forbid (principal, action, resource) when { context.risk == "${risks[i % 4]}" && context.confidence < ${1000 + i} && context.attempts > ${i % 7} && context.records >= ${i % 5} && context.origins.containsAny(["model", "third-party"]) && context.stage < ${i % 4} } unless { context.compensating || context.mode == "dry_run" };`,
).join('\n')
const t = performance.now()
const r = lintPolicies({ policyFiles: [{ file: 'a', text, layer: 'project' }], schema, people: [] })
console.log(n, r.findings.length, Math.round(performance.now() - t), 'ms')
