import { nodeEntropy, nodeHasher } from '@tidegate/crypto-node'
import type { JournalKeys } from '@tidegate/crypto-node/writer-parts'
import { deriveSecret, openSnapshotFile, type SqliteJournal } from '@tidegate/journal-sqlite'
import type { Clock, Log } from '@tidegate/kernel'
import type { Project } from '@tidegate/project'
import { type Meters, openMeters } from '@tidegate/runtime'

/** What the meters of a project stand on. */
export interface MeterGround {
  readonly journal: SqliteJournal
  readonly keys: JournalKeys
  /** Where a snapshot of the counts is kept between starts. */
  readonly snapshot: string
  readonly clock: Clock
  readonly log: Log
}

/** Opens the meters that a project declares. From then on everybody appends to their journal. */
export function openProjectMeters(project: Project, { journal, keys, snapshot, clock, log }: MeterGround): Promise<Meters> {
  const { masterKey } = keys
  return openMeters({
    ...{ journal, clock, log, ledger: journal.ledger, meters: project.meters, hasher: nodeHasher },
    timeZone: project.configuration.timeZone,
    salt: deriveSecret(masterKey, 'meters'),
    snapshots: openSnapshotFile({ file: snapshot, masterKey, entropy: nodeEntropy }),
  })
}
