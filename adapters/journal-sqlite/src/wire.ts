import type { Sealed } from './sealer.ts'
import type { Placement, Record } from './writer.ts'

/**
 * Records and placements as flat lists of plain values. Between threads every object is written out with the names of its members;
 * a list costs about half of that, on both sides.
 */
export type Cell = string | number | boolean | null

const RECORD_CELLS = 15

/** Records as they are posted to the thread that writes. */
export function packRecords(records: readonly Record[]): Cell[] {
  const cells: Cell[] = []
  for (const { stream, expectedSeq, atMs, open, sealed, fence, raisesEpoch, claim, head } of records) {
    cells.push(stream, expectedSeq, atMs, open)
    cells.push(sealed?.text ?? null, sealed?.key ?? null, sealed?.keyName ?? null, sealed?.wrappedKey ?? null)
    cells.push(fence, raisesEpoch, claim, head?.run ?? null, head?.state ?? null, head?.workflow ?? null, head?.text ?? null)
  }
  return cells
}

/** The records that {@link packRecords} packed. */
export function unpackRecords(cells: readonly Cell[]): Record[] {
  const records: Record[] = []
  for (let at = 0; at < cells.length; at += RECORD_CELLS) {
    const text = textOrNull(cells[at + 4])
    const run = textOrNull(cells[at + 11])
    records.push({
      stream: String(cells[at]),
      expectedSeq: Number(cells[at + 1]),
      atMs: Number(cells[at + 2]),
      open: String(cells[at + 3]),
      sealed: text === null ? null : sealedOf(text, cells, at),
      fence: numberOrNull(cells[at + 8]),
      raisesEpoch: cells[at + 9] === true,
      claim: textOrNull(cells[at + 10]),
      head:
        run === null
          ? null
          : { run, state: String(cells[at + 12]), workflow: String(cells[at + 13]), text: String(cells[at + 14]) },
    })
  }
  return records
}

function sealedOf(text: string, cells: readonly Cell[], at: number): Sealed {
  return { text, key: String(cells[at + 5]), keyName: String(cells[at + 6]), wrappedKey: textOrNull(cells[at + 7]) }
}

type Committed = Extract<Placement, { kind: 'committed' }>

const PLACEMENT_CELLS = 4

/** Placements when all are `committed`, which is nearly always; undefined otherwise. */
export function packCommitted(placements: readonly Placement[]): number[] | undefined {
  const cells: number[] = []
  for (const placement of placements) {
    if (placement.kind !== 'committed') return undefined
    cells.push(placement.index, placement.seq, placement.atMs, placement.epoch)
  }
  return cells
}

/** The placements that {@link packCommitted} packed. */
export function unpackCommitted(cells: readonly number[]): Committed[] {
  const placements: Committed[] = []
  for (let at = 0; at < cells.length; at += PLACEMENT_CELLS) {
    const [index = 0, seq = 0, atMs = 0, epoch = 0] = cells.slice(at, at + PLACEMENT_CELLS)
    placements.push({ kind: 'committed', index, seq, atMs, epoch })
  }
  return placements
}

function textOrNull(cell: Cell | undefined): string | null {
  return typeof cell === 'string' ? cell : null
}

function numberOrNull(cell: Cell | undefined): number | null {
  return typeof cell === 'number' ? cell : null
}
