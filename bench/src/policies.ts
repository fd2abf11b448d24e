import { readdirSync, readFileSync } from 'node:fs'
import { createCedarEngine, generateSchema } from '@tidegate/cedar'
import { tool } from '@tidegate/example-support-desk/tools'
import type { PolicyEngine } from '@tidegate/kernel'
import type { Registry } from '@tidegate/runtime'

/** Permits everything: what is left is the cost of everything else. */
export const permitEverything: PolicyEngine = {
  version: 'constant',
  evaluate: () => ({ kind: 'permitted', permits: [{ id: 'all', reason: 'constant policy' }] }),
}

/** The policies of examples/support-desk: every action is evaluated. */
export function loadExamplePolicies(registry: Registry): PolicyEngine {
  const directory = new URL('../../examples/support-desk/policies/', import.meta.url)
  const files = readdirSync(directory).filter((file) => file.endsWith('.cedar'))
  const policies = files.map((file) => ({ file, text: readFileSync(new URL(file, directory), 'utf8') }))
  // The policies name operations of the desk, so the schema has to know them, although the bench calls none of them.
  const desk = tool({ settings: { baseUrl: 'http://127.0.0.1:1' } })
  const schema = generateSchema([...registry.operations, ...desk.operations], registry.workflows)
  return createCedarEngine({ policies, schema })
}
