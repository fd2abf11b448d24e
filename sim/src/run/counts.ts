import { nodeHasher } from '@tidegate/crypto-node'
import { type JsonObject, openRun } from '@tidegate/kernel'
import { type Meters, openMeters } from '@tidegate/runtime'
import { type Disk, WORLD_OPERATIONS } from '@tidegate/testkit'
import type { Scenario } from '../plan/scenario.ts'

/** Under which arguments and records are counted; secret only in earnest. */
export const SALT: Uint8Array = new Uint8Array(32).fill(7)

/** What the meters of one life showed in the moment of its end. */
export interface SeenCounts {
  readonly life: number
  /** So many entries were durable. */
  readonly size: number
  readonly nowMs: number
  readonly values: readonly string[]
}

/** Opens the declared meters on what is durable: from nothing, as every start does. */
export function openCounts(
  { meters }: Scenario,
  ground: Pick<Parameters<typeof openMeters>[0], 'journal' | 'ledger' | 'clock'>,
): Promise<Meters> {
  return openMeters({ ...ground, meters, hasher: nodeHasher, salt: SALT, timeZone: 'UTC', log: () => undefined })
}

const ASKED_OF = ['desk.refund', 'desk.set', 'mail.send', 'desk.read']

/** Asks meters what they would show for some actions of every run. Leaves nothing reserved, but for what is lost with the process. */
export function readCounts(meters: Meters, { triggers }: Scenario, disk: Disk, size = disk.entries.length): readonly string[] {
  const ids = new Set(triggers.map(({ input }) => input.id))
  const lines: string[] = []
  for (const entry of disk.entries.slice(0, size)) {
    if (entry.seq !== 1 || !entry.stream.startsWith('run/')) continue
    const known = openRun(entry)
    const { run } = known.opened
    const own = known.opened.sealed.input.id
    const state = { ...known, opened: { ...known.opened, run: `like ${run}` } } // somebody else, who sees what the run has reserved
    for (const id of typeof own === 'string' ? new Set([own]) : ids) {
      for (const operation of WORLD_OPERATIONS.filter((one) => ASKED_OF.includes(one.id))) {
        const args: JsonObject = { id, amount: 1 }
        const { values } = meters.reserve({ state, waiting: [], action: 1_000, isNew: true, operation, arguments: args })
        meters.release(state.opened.run)
        lines.push(`${run} ${operation.id} ${id}: ${JSON.stringify(values)}`)
      }
    }
  }
  return lines
}
