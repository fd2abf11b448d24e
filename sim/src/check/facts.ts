import { createHash } from 'node:crypto'
import type { Json, RunEvent } from '@tidegate/kernel'
import { eventsOf, type Recorded } from '../run/witness.ts'
import type { Simulation } from '../run/simulation.ts'

export type RunRecord = Recorded<RunEvent>
export type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>

/** All runs in the journal with their events. */
export function runsOf({ disk }: Simulation): ReadonlyMap<string, readonly RunRecord[]> {
  const streams = new Set(disk.entries.map((entry) => entry.stream).filter((stream) => stream.startsWith('run/')))
  return new Map([...streams].map((stream) => [stream.slice('run/'.length), eventsOf<RunEvent>(disk.entries, stream)]))
}

/** The records of one type. */
export function typed<T extends RunEvent['type']>(records: readonly RunRecord[], type: T): readonly Recorded<EventOf<T>>[] {
  return records.filter((record): record is Recorded<EventOf<T>> => record.event.type === type)
}

/** The last record of a type for an action, up to and including an index. */
export function lastOf<T extends 'action.decided' | 'action.proposed' | 'effect.started'>(
  records: readonly RunRecord[],
  type: T,
  action: number,
  upTo = Number.POSITIVE_INFINITY,
): Recorded<EventOf<T>> | undefined {
  return typed(records, type).findLast(({ index, event }) => index <= upTo && (event as { action: number }).action === action)
}

/** Written again from RFC 8785 for the values that the simulation uses (no fractions), so that two mistakes would have to agree. */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
