import { generateSchema, loadPolicies, readPolicies, describePolicies } from '@tidegate/cedar'
import { findConditions } from './src/lint/conditions.ts'
const ops = Array.from({length: 50}, (_, i) => ({ id: `desk.op${i}`, tool: 'desk' }))
const schema = generateSchema(ops, [{ name: 'w', agent: 'a' }])
const risks = ['low','medium','high','critical']
const n = Number(process.argv[2])
const text = Array.from({ length: n }, (_, i) => `@id("p${i}") @reason("x") forbid (principal, action, resource) when { context.risk == "${risks[i%4]}" && context.confidence < ${1000 + i} && context.attempts > ${i % 7} && context.records >= ${i % 5} && context.origins.containsAny(["model", "third-party"]) && context.stage < ${i%4} } unless { context.compensating || context.mode == "dry_run" };`).join('\n')
let t = process.cpuUsage().user
const lap = (w: string) => { const u = process.cpuUsage().user; console.log(w, Math.round((u - t)/1000), 'ms cpu'); t = u }
const { policies } = readPolicies([{ file: 'a', text }]); lap('read')
try { loadPolicies([{ file: 'a', text }], schema) } catch {} lap('load')
describePolicies(policies); lap('describe')
findConditions(policies, schema); lap('conditions')
