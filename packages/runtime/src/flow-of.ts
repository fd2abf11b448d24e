import { type ActionState, compileFlow, type Flow, type FlowOutput, type Operation } from '@tidegate/kernel'

const flows = new WeakMap<Operation, Flow>()
const distrusted = new WeakMap<Operation, Flow>()

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

/** What nobody declares any more is third-party text, all of it. */
export const UNKNOWN_FLOW: Flow = compileFlow({ mutability: 'read' })

/**
 * How data flowed through one call, for its answer. Where the record it is about was written under taint, nothing in it is the word of a
 * system or of the user any more, whatever its operation declares.
 */
export function flowOfAnswer(action: Pick<ActionState, 'distrusted'>, operation: Operation | undefined): Flow {
  if (operation === undefined) return UNKNOWN_FLOW
  if (action.distrusted !== true) return flowOf(operation)
  const known = distrusted.get(operation)
  if (known !== undefined) return known
  const flow = flowOf(operation)
  const made = { ...flow, outputs: distrust(flow.outputs) }
  distrusted.set(operation, made)
  return made
}

type Outputs = Flow['outputs']

function distrust({ exact, any, declared }: Outputs): Outputs {
  return {
    exact: new Map([...exact].map(([key, node]) => [key, distrust(node)])),
    any: any === undefined ? undefined : distrust(any),
    declared: declared === undefined ? undefined : byStranger(declared),
  }
}

/** The readers and the type stay: a flag is too small to carry an instruction, whoever wrote it. */
function byStranger({ keys, closed: _closed, today: _today, ...output }: FlowOutput): FlowOutput {
  const names = keys === undefined ? {} : { keys: byStranger(keys) }
  return { ...output, ...names, origin: 'third-party' }
}
