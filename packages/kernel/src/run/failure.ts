import type { ConnectorFailure } from '../ports/connector.ts'

/**
 * Why a run did not do what it was for. One taxonomy for every run; a kind is API: added, never renamed.
 *
 * `planning` the planner made no usable proposal; `retrieval` something it had to read could not be read; `policy_denial` a
 * policy or a guard said no; `approval_refused` a person said no; `approval_timeout` nobody answered (I5); `connector_timeout`
 * the far side did not answer; `connector_semantic` it answered that it will not; `output_validation` its answer was not what the
 * operation declares; `duplicate_execution` an effect is in the world twice; `ambiguous` nobody can tell whether an effect
 * happened; `rollback_failure` something done could not be undone; `unclaimed` whoever asked for a call did not come back for it, and nothing
 * was done; `budget`, `loop`, `stopped` our own limits; `unverified` all
 * went well but the success check does not see it (I13); `defect` Tidegate itself broke an invariant, and stopped the run.
 */
export const FAILURE_KINDS = [
  'planning',
  'retrieval',
  'policy_denial',
  'approval_refused',
  'approval_timeout',
  'connector_timeout',
  'connector_semantic',
  'output_validation',
  'duplicate_execution',
  'ambiguous',
  'rollback_failure',
  'unclaimed',
  'budget',
  'loop',
  'stopped',
  'unverified',
  'defect',
] as const

/** How a run can end. `escalated`: it is a person's turn; `undone`: what it did was taken back. */
export type FinalState = 'completed' | 'failed' | 'stopped' | 'undone' | 'escalated'

export type FailureKind = (typeof FAILURE_KINDS)[number]

/** The kind of failure that a failed call means for its run. Reading and acting fail differently: a read leaves nothing behind. */
export function failureOf(failure: ConnectorFailure['failure'], isRead: boolean): FailureKind {
  if (failure === 'invalid_output') return 'output_validation'
  if (isRead) return 'retrieval'
  return failure === 'timeout' || failure === 'unavailable' ? 'connector_timeout' : 'connector_semantic'
}
