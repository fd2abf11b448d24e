import { type Endorsement, isEndorsed } from '@tidegate/kernel'
import type { WireEndorsement } from '@tidegate/protocol'
import { clip } from '../reply.ts'

const TEXT = 262_144

/** What was endorsed in a run, by whom and why. */
export function renderEndorsement(endorsement: Endorsement): WireEndorsement {
  const { operation, pointer, value, approval, policyVersion, votes } = endorsement
  return {
    operation: clip(operation),
    pointer: clip(pointer),
    value,
    state: isEndorsed(endorsement) ? 'endorsed' : 'open',
    approval,
    policyVersion,
    votes: votes.map(({ voter, why, atMs }) => ({ voter, why: clip(why, TEXT), atMs })),
  }
}
