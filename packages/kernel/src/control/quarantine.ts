import type { Operation } from '../action/operation.ts'
import type { ControlState } from './state.ts'

/** The tool that changes Tidegate itself. It belongs to the program: its declarations change with the version of the server only. */
export const OWN_TOOL = 'tidegate'

/**
 * The operations that are declared otherwise than somebody has accepted them, and those that nobody has accepted yet. They are denied
 * until a person has looked at the difference: a tool that changes under an approved policy may do something else under the same name.
 */
export function quarantined(
  { accepted }: Pick<ControlState, 'accepted'>,
  operations: readonly Pick<Operation, 'id' | 'tool' | 'schemaVersion'>[],
): ReadonlySet<string> {
  const others = operations.filter(
    ({ id, tool, schemaVersion }) =>
      tool !== OWN_TOOL && (Object.hasOwn(accepted, id) ? accepted[id] : undefined) !== schemaVersion,
  )
  return new Set(others.map(({ id }) => id))
}
