import type { Simulation } from '../run/simulation.ts'
import type { Report } from './report.ts'

/** I8: the secret that every effect used is in no record, no list and no log. */
export function checkSecrets({ disk, witness, secret }: Simulation, report: Report): void {
  const places = {
    'the journal': disk.entries,
    'the list of runs': [...disk.heads],
    'the log': witness.logs,
    'the calls': witness.calls,
  }
  for (const [place, content] of Object.entries(places)) {
    if (JSON.stringify(content).includes(secret)) report('I8', `the secret is in ${place}`)
  }
}
