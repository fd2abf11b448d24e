import { isObject, type RunState } from '@tidegate/kernel'
import { recordOf, type RequestRecord } from './request-record.ts'

/** The operation by which access is granted, the one that takes it back, and the one that looks. */
export const GRANT = 'tidegate.access.grant'
export const REVOKE = 'tidegate.access.revoke'
export const LOOK = 'tidegate.access.look'

/** What people approved, for one request, until a time; used once. */
export interface Grant {
  readonly run: string
  readonly record: RequestRecord
  readonly approvedAtMs: number
  readonly approvedUntilMs: number
  /** `revoked`: an operator has undone it. */
  readonly state: 'valid' | 'revoked'
}

/** The name of a request for access, towards whoever asked, and that of its approval. Both say nothing and cannot be guessed. */
export function taskId(run: string): string {
  return `arq_${run}`
}
export function approvalId(run: string): string {
  return `apr_${run}`
}

/** The run behind a name that {@link taskId} or {@link approvalId} made; undefined for anything else. */
export function runBehind(kind: 'arq' | 'apr', id: string): string | undefined {
  return /^(arq|apr)_([0-9A-HJKMNP-TV-Z]{26})$/.exec(id)?.slice(1)[0] === kind ? id.slice(4) : undefined
}

/**
 * The grant of a run that asked for access: made once the run has made it, and as the journal has it. Undefined before, and for a
 * run that never got there. Whether the run as a whole was completed is not looked at here.
 */
export function grantOf(state: RunState): Grant | undefined {
  const record = recordOf(state)
  const action = state.actions.find(({ proposed, outcome }) => proposed.operation === GRANT && outcome?.result === 'done')
  if (record === undefined || action === undefined || !isObject(action.output)) return undefined
  const { approvedAtMs, approvedUntilMs } = action.output
  if (typeof approvedAtMs !== 'number' || typeof approvedUntilMs !== 'number') return undefined
  const revoked = state.undoneBy !== null || action.state === 'undone'
  return { run: state.opened.run, record, approvedAtMs, approvedUntilMs, state: revoked ? 'revoked' : 'valid' }
}
