import { type Admitted, type FlowFacts, NO_FLOW, type Proposal, type RunState, type Workflow } from '@tidegate/kernel'
import type { HarnessParts } from './parts.ts'

/** What the labels say about an admitted action. */
export function flowOf(
  _parts: HarnessParts,
  _state: RunState,
  _workflow: Workflow,
  _admitted: Admitted,
  _proposal: Proposal,
): FlowFacts {
  return NO_FLOW
}
