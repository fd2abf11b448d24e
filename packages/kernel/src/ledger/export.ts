import { encodeUtf8 } from '../canonical/utf8.ts'
import { KernelError } from '../error.ts'
import type { Hasher } from '../ports/hasher.ts'
import { parseCheckpoint } from './checkpoint.ts'
import { encodeEntryBundle } from './entry-bundle.ts'
import { createFrontier } from './frontier.ts'
import { isSameHash, leafHash } from './hash.ts'
import { parseNote } from './note.ts'
import { encodePayloadLine, type Payload, payloadPath } from './payload.ts'
import { entriesPath, TILE_WIDTH, type Tile, tilePath } from './tile.ts'

/** One file of an export, by its path below the export's directory, with `/` between the parts. */
export interface ExportFile {
  readonly path: string
  readonly bytes: Uint8Array
}

/** What stands at the head of an export. */
export interface ExportHead {
  /** The signed checkpoint over exactly the entries of the export. */
  readonly checkpoint: string
  /** The ledger's verifier key as text. */
  readonly verifierKey: string
}

/**
 * Turns entries into the files of an export (C2SP tlog-tiles on disk), a few at a time, for a journal that reads its entries
 * asynchronously. It holds at most 256 entries.
 */
export interface Exporter {
  /** Adds the next entry and returns the files that this completed. */
  add(entry: string): ExportFile[]
  /**
   * Returns the partial tiles, the key and at last the checkpoint, so that an export which was interrupted has no checkpoint.
   *
   * @throws KernelError `ledger_range` when the checkpoint is over other entries than those added.
   */
  finish(head: ExportHead): ExportFile[]
}

/** Creates an exporter at the beginning of a ledger. */
export function createExporter(hasher: Hasher): Exporter {
  const frontier = createFrontier(hasher)
  let entries: string[] = []

  function takeBundle(): ExportFile {
    const index = Math.floor((frontier.size - 1) / TILE_WIDTH)
    const file = { path: entriesPath(index, entries.length), bytes: encodeEntryBundle(entries) }
    entries = []
    return file
  }

  return {
    add(entry) {
      entries.push(entry)
      const tiles = frontier.append(leafHash(hasher, entry))
      return entries.length < TILE_WIDTH ? [] : [takeBundle(), ...tiles.map(tileFile)]
    },
    finish(head) {
      const checkpoint = parseCheckpoint(parseNote(head.checkpoint).text)
      if (checkpoint.size !== frontier.size || !isSameHash(checkpoint.root, frontier.root())) {
        throw new KernelError(
          'ledger_range',
          `The checkpoint of size ${checkpoint.size} is not over these ${frontier.size} entries.`,
        )
      }
      return [
        ...(entries.length === 0 ? [] : [takeBundle()]),
        ...frontier.partialTiles().map(tileFile),
        { path: 'keys/log.vkey', bytes: encodeUtf8(`${head.verifierKey.trim()}\n`) },
        { path: 'checkpoint', bytes: encodeUtf8(head.checkpoint) },
      ]
    },
  }
}

/** The payloads of one run. */
export interface RunPayloads {
  readonly runId: string
  readonly payloads: Iterable<Payload>
}

/**
 * Turns a whole ledger into the files of an export: bundles and tiles as they fill, then the payloads, then the head.
 *
 * @throws KernelError `ledger_range` as {@link Exporter} and {@link payloadPath} do.
 */
export function* exportFiles(
  hasher: Hasher,
  ledger: ExportHead & { readonly entries: Iterable<string>; readonly runs?: Iterable<RunPayloads> },
): Generator<ExportFile> {
  const exporter = createExporter(hasher)
  for (const entry of ledger.entries) yield* exporter.add(entry)
  for (const run of ledger.runs ?? []) yield payloadFile(run)
  yield* exporter.finish(ledger)
}

/** The file with the payloads of one run, one line each. */
export function payloadFile(run: RunPayloads): ExportFile {
  let text = ''
  for (const payload of run.payloads) text += encodePayloadLine(payload)
  return { path: payloadPath(run.runId), bytes: encodeUtf8(text) }
}

function tileFile(tile: Tile): ExportFile {
  return { path: tilePath(tile), bytes: tile.hashes }
}
