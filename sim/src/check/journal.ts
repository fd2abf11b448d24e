import type { Simulation } from '../run/simulation.ts'
import type { Report } from './report.ts'

/** I10: what was acknowledged is there, as it was; streams have no gaps, time never goes back, fenced records are in their epoch. */
export function checkJournal({ disk, witness }: Simulation, report: Report): void {
  for (const { index, text } of witness.acks) {
    if (JSON.stringify(disk.entries[index]) !== text) report('I10', `entry ${index} was acknowledged and is not there as it was`)
  }
  const seqs = new Map<string, number>()
  let atMs = 0
  let epoch = 0
  for (const [i, entry] of disk.entries.entries()) {
    const seq = (seqs.get(entry.stream) ?? 0) + 1
    seqs.set(entry.stream, seq)
    if (entry.index !== i) report('I10', `entry ${i} is numbered ${entry.index}`)
    if (entry.seq !== seq) report('I10', `${entry.stream} has record ${entry.seq} where ${seq} belongs`)
    if (entry.atMs < atMs) report('I10', `time goes back at entry ${i}`)
    if (entry.events.some((event) => event.type === 'stop.raised' || event.type === 'stop.lifted')) epoch += 1
    if (entry.epoch !== epoch) report('I1', `entry ${i} is in epoch ${entry.epoch}, but ${epoch} is current`)
    const starts = entry.events.some((event) => event.type === 'effect.started')
    if (starts && witness.fences.get(i) !== epoch)
      report('I1', `entry ${i} starts an effect that was decided under epoch ${witness.fences.get(i)}, not ${epoch}`)
    atMs = entry.atMs
  }
}
