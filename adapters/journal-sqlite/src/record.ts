import type { AppendResult, Draft, Entry } from '@tidegate/kernel'
import { splitSealed } from './entry-text.ts'
import { JournalError } from './error.ts'
import type { Sealer } from './sealer.ts'
import type { Placement, Record } from './writer.ts'

const STREAM = /^(?:control|run\/[A-Za-z0-9][A-Za-z0-9._-]{0,127})$/

/** A draft as text, with its sealed parts and the key for them. @throws JournalError `record_invalid` when it is not plain JSON, or names no stream. */
export function recordOf(draft: Draft, sealer: Sealer): Record {
  if (!STREAM.test(draft.stream))
    throw new JournalError(
      'record_invalid',
      'A stream is "control" or "run/" and an id of letters, digits, dots, dashes and underscores.',
    )
  const { head } = draft
  try {
    const { open, sealed: text } = splitSealed(draft.events)
    const headText = head === undefined ? '' : JSON.stringify(head)
    const sealed = text === null ? null : sealer.seal(draft.stream, text, draft.expectedSeq === 0)
    return {
      stream: draft.stream,
      expectedSeq: draft.expectedSeq,
      atMs: draft.atMs,
      open,
      sealed,
      fence: draft.fence ?? null,
      raisesEpoch: draft.raisesEpoch ?? false,
      claim: draft.claim ?? null,
      head:
        head === undefined
          ? null
          : {
              run: head.run,
              state: head.state,
              workflow: head.workflow,
              text: headText,
            },
    }
  } catch (cause) {
    if (cause instanceof JournalError) throw cause // the store could not be asked for the key
    throw new JournalError(
      'record_invalid',
      `A record of ${draft.stream} is not plain JSON: ${cause instanceof Error ? cause.message : 'unknown'}`,
      { cause },
    )
  }
}

/** The answer to a draft. Throws what the store failed with. */
export function answerOf(draft: Draft, placement: Placement): AppendResult {
  if (placement.kind === 'failed') throw placement.error
  if (placement.kind !== 'committed') return placement
  const { index, seq, atMs, epoch } = placement
  const entry: Entry = { index, stream: draft.stream, seq, atMs, epoch, events: draft.events, erased: false }
  return { kind: 'committed', entry }
}
