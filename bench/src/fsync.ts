import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseLoad } from './child-arguments.ts'
import { quantile, round } from './load.ts'
import type { Measurement } from './report-line.ts'

const BLOCK = Buffer.alloc(4_096, 0x61)

/** Measures what one durable write costs at the least on this disk: append 4 KB to a file, fsync, one after the other. */
function measureFsync(): Measurement {
  const load = parseLoad(process.argv.slice(2))
  const directory = mkdtempSync(join(tmpdir(), 'tidegate-fsync-'))
  const file = openSync(join(directory, 'append'), 'a')
  const latenciesMs: number[] = []
  const startedMs = performance.now()
  const cpu = process.cpuUsage()
  while (latenciesMs.length < load.actions && performance.now() - startedMs < load.seconds * 1_000) {
    const beforeMs = performance.now()
    writeSync(file, BLOCK)
    fsyncSync(file)
    latenciesMs.push(performance.now() - beforeMs)
  }
  const seconds = (performance.now() - startedMs) / 1_000
  const used = process.cpuUsage(cpu)
  closeSync(file)
  rmSync(directory, { recursive: true, force: true })
  const sorted = latenciesMs.toSorted((left, right) => left - right)
  return {
    name: 'fsync',
    version: `node ${process.versions.node}`,
    inFlight: 1,
    actions: sorted.length,
    perSecond: round(sorted.length / seconds, 1),
    p50Ms: round(quantile(sorted, 0.5), 3),
    p99Ms: round(quantile(sorted, 0.99), 3),
    cpuSecondsPerAction: round((used.user + used.system) / 1e6 / sorted.length, 7),
    rssMb: round(process.memoryUsage.rss() / 1_048_576, 1),
    durable: 'fsync',
    notes: 'append of 4 KB and fsync, one after the other',
  }
}

console.log(JSON.stringify(measureFsync()))
