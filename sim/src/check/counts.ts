import { createMemoryJournal } from '@tidegate/testkit'
import { openCounts, readCounts } from '../run/counts.ts'
import { ledgerOf } from '../run/disk-ledger.ts'
import type { Simulation } from '../run/simulation.ts'
import type { Report } from './report.ts'

/** Counting again from what was durable gives what the meters of a life showed at its end: nothing more, less, or still reserved. */
export async function checkCounts({ scenario, disk, agenda, witness }: Simulation, report: Report): Promise<void> {
  for (const { life, size, nowMs, values } of witness.counts) {
    const clock = { ...agenda.clock, nowMs: () => nowMs }
    const meters = await openCounts(scenario, { journal: createMemoryJournal(disk), ledger: ledgerOf(disk, size), clock })
    const again = readCounts(meters, scenario, disk, size)
    for (const [i, line] of values.entries())
      if (line !== again[i]) report('counts', `life ${life} showed ${line}; ${size} entries counted again: ${again[i]}`)
  }
}
