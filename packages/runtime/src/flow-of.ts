import { compileFlow, type Flow, type Operation } from '@tidegate/kernel'

const flows = new WeakMap<Operation, Flow>()

/** How data flows through an operation, ready for use. Made once for each. */
export function flowOf(operation: Operation): Flow {
  const known = flows.get(operation)
  if (known !== undefined) return known
  const { flow, mutability, origins, input, output } = operation
  const compiled = compileFlow({
    ...(flow === undefined ? {} : { declaration: flow }),
    mutability,
    origins,
    input: input.jsonSchema,
    output: output.jsonSchema,
  })
  flows.set(operation, compiled)
  return compiled
}
