import { createHash } from 'node:crypto'
import { nodeHasher } from '@tidegate/crypto-node'
import type { JournalKeys } from '@tidegate/crypto-node/writer-parts'
import type { SqliteJournal } from '@tidegate/journal-sqlite'
import type { Clock, Log } from '@tidegate/kernel'
import type { Project } from '@tidegate/project'
import { type Meters, openMeters } from '@tidegate/runtime'

/** What the meters of a project stand on. */
export interface MeterGround {
  readonly journal: SqliteJournal
  readonly keys: JournalKeys
  readonly clock: Clock
  readonly log: Log
}

/** Opens the meters that a project declares. From then on everybody appends to their journal. */
export function openProjectMeters(project: Project, { journal, keys, clock, log }: MeterGround): Promise<Meters> {
  const salt = createHash('sha256').update('tidegate:meters\n').update(keys.masterKey).digest()
  const { timeZone } = project.configuration
  return openMeters({ meters: project.meters, journal, ledger: journal.ledger, clock, hasher: nodeHasher, salt, timeZone, log })
}
