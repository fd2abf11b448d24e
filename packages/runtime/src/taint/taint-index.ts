import { type FlowFacts, type Hasher, type Json, type JsonObject, type Operation, type RunEvent, valueAt } from '@tidegate/kernel'
import { createHashKey } from '../meters/hash-key.ts'
import type { LedgerTexts } from '../meters/read-ledger.ts'

/** What is remembered with the start of an effect about the records that it touches. */
export type TaintMarks = Pick<Extract<RunEvent, { type: 'effect.started' }>, 'wrote' | 'distrusted'>

/**
 * Remembers which records were written by calls that a stranger's words may have brought about, so that whoever reads such a record later,
 * in this run or another, does not take it for the word of a system or of the user (I9).
 *
 * T1. A record that is in the index never leaves it: an approval covers a call, not what it wrote. T2. It is entered when the call is decided,
 * before the call can have had an effect. A call that was decided and then never started leaves its record in until the next start: too strict,
 * never too lax. T3. What it holds follows from the ledger alone, so that a restart loses nothing. T4. It holds keyed hashes, and no identifier.
 */
export interface TaintIndex {
  /** What to record with the start of a call: that it writes under taint, or that what it answers may have been written so. Enters what it writes. */
  mark(operation: Operation, args: JsonObject, flow: FlowFacts): TaintMarks
  /** Number of records in the index. */
  readonly size: number
}

export interface TaintParts {
  readonly ledger: LedgerTexts
  readonly hasher: Hasher
  /** 32 secret bytes, the same for the life of the journal: without them nobody can try out identifiers. */
  readonly salt: Uint8Array
}

/** Opens the index: reads from the ledger what was written under taint so far. */
export function openTaint({ ledger, hasher, salt }: TaintParts): TaintIndex {
  const hashKey = createHashKey(hasher, salt)
  const written = readWritten(ledger)
  // Far sides differ in which spellings they take for the same record: the index takes all of them for the same.
  const keyOf = ({ tool }: Operation, id: Json) => hashKey(`${tool}\u0000${String(id).normalize('NFKC').trim().toLowerCase()}`)

  return {
    get size() {
      return written.size
    },
    mark(operation, args, flow) {
      const writes = flow.tainted && operation.mutability !== 'read'
      if (written.size === 0 && !writes) return {}
      const ids = operation.records.flatMap((pointer) => identifiersAt(args, pointer))
      const marks = ids.some((id) => written.has(keyOf(operation, id))) ? ({ distrusted: true } as const) : {}
      if (!writes || ids.length === 0) return marks
      const keys = [...new Set(ids.map((id) => keyOf(operation, id)))].toSorted()
      for (const key of keys) written.add(key)
      return { ...marks, wrote: { keys, sources: flow.sources } }
    },
  }
}

/** As the arguments were admitted: each place holds one plain identifier, or a list of them. */
function identifiersAt(args: JsonObject, pointer: string): readonly Json[] {
  const value = valueAt(args, pointer)
  const values = Array.isArray(value) ? (value as readonly Json[]) : [value ?? null]
  return values.filter((id) => typeof id === 'string' || typeof id === 'number')
}

/** Few entries have such a mark, so that the others are not even parsed. */
const MARK = '"wrote":'

function readWritten(ledger: LedgerTexts): Set<string> {
  const written = new Set<string>()
  for (const text of ledger.texts(0, ledger.head().size)) {
    if (!text.includes(MARK)) continue
    const { events } = JSON.parse(text) as { events: readonly RunEvent[] } // written by the journal itself (docs/spec/ledger.md)
    for (const event of events) {
      if (event.type === 'effect.started') for (const key of event.wrote?.keys ?? []) written.add(key)
    }
  }
  return written
}
