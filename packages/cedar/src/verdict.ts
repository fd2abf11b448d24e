import type { DeterminingPolicy, MatchedForbid, PolicyVerdict } from '@tidegate/kernel'
import type { Annotated } from './annotation.ts'

/** The policies that are satisfied, each list sorted by id. */
export interface Satisfied {
  readonly permits: readonly DeterminingPolicy[]
  readonly forbids: readonly MatchedForbid[]
}

const MAX_MESSAGE_LENGTH = 300

/**
 * The verdict on what was found. Asking and trying out hide no missing permit: if only soft forbids (`ask`, `dry_run`) are satisfied and
 * no permit is, nobody may be asked, since their approval would skip the permit.
 */
export function verdictOf({ permits, forbids }: Satisfied): PolicyVerdict {
  if (forbids.length === 0) return permits.length === 0 ? { kind: 'unmatched' } : { kind: 'permitted', permits }
  const isHard = forbids.some((forbid) => forbid.outcome === 'deny')
  return isHard || permits.length > 0 ? { kind: 'forbidden', forbids } : { kind: 'unmatched' }
}

/** Something went wrong: the kernel denies (I6). */
export function broken(message: string): PolicyVerdict {
  return { kind: 'broken', message: message.slice(0, MAX_MESSAGE_LENGTH) }
}

/** A policy as a verdict names it. */
export function determining({ id, reason }: DeterminingPolicy): DeterminingPolicy {
  return { id, reason }
}

/** A forbid as a verdict names it; undefined for a permit. */
export function asForbid({ id, reason, outcome, approvers }: Annotated): MatchedForbid | undefined {
  return outcome === 'allow' ? undefined : { id, reason, outcome, approvers }
}
