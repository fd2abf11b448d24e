import type { Clock, ControlState, Entropy, RunState } from '@tidegate/kernel'
import type { TriggerAnswer, TriggerRequest } from '../api.ts'
import type { JwsParts } from './jws.ts'
import type { DecisionSource } from './port.ts'
import type { RunHead, RunQuery } from '@tidegate/kernel'

/** What the AuthZEN face of the runtime is made of. */
export interface AuthZenParts extends JwsParts {
  /** The name of this decision point, as issuer and as audience: the same after a restart. */
  readonly identifier: string
  readonly sources: readonly DecisionSource[]
  readonly clock: Clock
  readonly entropy: Entropy
  /** The stops in force. */
  readonly control: () => ControlState
  /** The runs behind requests for access. */
  readonly runs: {
    open(request: TriggerRequest): Promise<TriggerAnswer>
    load(run: string): Promise<RunState | undefined>
    list(query: RunQuery): Promise<readonly RunHead[]>
    /** Refuses the open question of a run in the name of whoever asked; false when none is open. */
    withdraw(run: string, by: string): Promise<boolean>
  }
  readonly times: AccessTimes
}

/** How long each step of asking for access may take. */
export interface AccessTimes {
  /** From a denial to the request. */
  readonly askMs: number
  /** From the request to the answer of the people. */
  readonly answerMs: number
  /** From the answer on. */
  readonly grantMs: number
}

/** Ten minutes to ask, a day to answer, and an hour to use it. */
export const ACCESS_TIMES: AccessTimes = { askMs: 600_000, answerMs: 86_400_000, grantMs: 3_600_000 }
