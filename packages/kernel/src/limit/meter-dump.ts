import { canonicalJson } from '../canonical/canonical.ts'
import type { MeterSpace } from './meter-space.ts'
import { createTrack, type RunTrack } from './meter-track.ts'
import type { Meter, Metered } from './meter.ts'

/** The count of one key: its slots and their amounts. */
export type CellDump = readonly [key: string, slots: readonly number[], amounts: readonly number[]]

type ActionDump = readonly [
  n: number,
  operation: string,
  effect: boolean,
  countedAtMs: number | null,
  doubt: boolean,
  metered: Metered | null,
]

/** A run that was not finished. */
export type TrackDump = readonly [
  run: string,
  seq: number,
  agent: string,
  workflow: string,
  user: string,
  actions: readonly ActionDump[],
]

/**
 * A book at rest, as plain data: the counts as of one entry, and nothing of what was reserved. Together with the entries after
 * it, it gives the same counts as all entries do, so an old one is as good as a new one and only slower.
 */
export interface MeterDump {
  readonly v: 1
  /** The ledger index of the first entry that is not in it. */
  readonly next: number
  readonly atMs: number
  /** Of what the meters count; see {@link isDumpOf}. */
  readonly fingerprint: string
  readonly cells: readonly (readonly CellDump[])[]
  readonly tracks: readonly TrackDump[]
}

/** What makes two sets of meters count the same: limits and reasons may differ. */
export function fingerprintOf(meters: readonly Meter[]): string {
  return canonicalJson(
    meters.map(({ name, of, operations, sum, per, window, anomaly }) => ({
      name,
      of,
      operations,
      sum,
      per,
      window: { ...window },
      anomaly: anomaly === null ? null : { ...anomaly },
    })),
  )
}

/** True for a dump of these meters. The dump itself must come from somebody trusted: its insides are not checked. */
export function isDumpOf(dump: MeterDump, meters: readonly Meter[]): boolean {
  return dump.v === 1 && dump.fingerprint === fingerprintOf(meters)
}

/** Writes a book down. */
export function dumpBook(book: {
  next: number
  atMs: number
  fingerprint: string
  spaces: readonly MeterSpace[]
  tracks: ReadonlyMap<string, RunTrack>
}): MeterDump {
  const { next, atMs, fingerprint } = book
  return {
    v: 1,
    next,
    atMs,
    fingerprint,
    cells: book.spaces.map((space) =>
      [...space.entries()]
        .filter(([, cell]) => cell.slots.length > cell.head)
        .map(([key, { slots, amounts, head }]): CellDump => [key, slots.slice(head), amounts.slice(head)]),
    ),
    tracks: [...book.tracks.values()].map(dumpTrack),
  }
}

function dumpTrack({ run, seq, agent, workflow, user, actions }: RunTrack): TrackDump {
  const list = actions.flatMap((action, n): readonly ActionDump[] => {
    if (action === undefined) return []
    const { operation, effect, countedAtMs, doubt, metered } = action
    return [[n, operation, effect, countedAtMs, doubt, metered ?? null]]
  })
  return [run, seq, agent, workflow, user, list]
}

/** Puts counts back where they were. */
export function restoreCells(space: MeterSpace | undefined, cells: readonly CellDump[]): void {
  for (const [key, slots, amounts] of cells) {
    const cell = space?.open(key)
    if (cell === undefined) continue
    cell.slots = [...slots]
    cell.amounts = [...amounts]
    cell.sum = amounts.reduce((sum, amount) => sum + amount, 0)
  }
}

/** A track as it was. */
export function restoreTrack([run, seq, agent, workflow, user, list]: TrackDump): RunTrack {
  const track = createTrack({ run, agent, workflow, user })
  track.seq = seq
  for (const [n, operation, effect, countedAtMs, doubt, metered] of list) {
    track.actions[n] = { operation, effect, countedAtMs, doubt, metered: metered ?? undefined }
  }
  return track
}
