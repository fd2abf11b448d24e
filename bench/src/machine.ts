import { statfsSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, tmpdir, totalmem } from 'node:os'
import { round } from './load.ts'

/** The machine a benchmark ran on, and how busy others kept it. */
export interface Machine {
  readonly cores: number
  readonly node: string
  readonly cpu: string
  readonly platform: string
  readonly memoryGb: number
  /** Load average over the last minute, before the first contender started. */
  readonly loadBefore: number
  /** The file system that the databases were on. On `tmpfs` an fsync costs nothing and no figure is worth reporting. */
  readonly storage: string
}

const TMPFS = 0x01021994

export function describeMachine(): Machine {
  return {
    cores: availableParallelism(),
    node: process.versions.node,
    cpu: cpus()[0]?.model ?? 'unknown',
    platform: `${process.platform} ${process.arch}`,
    memoryGb: round(totalmem() / 2 ** 30, 1),
    loadBefore: round(loadavg()[0] ?? 0, 2),
    storage: statfsSync(tmpdir()).type === TMPFS ? 'tmpfs: fsync costs nothing here, set TMPDIR to a disk' : 'disk',
  }
}
