import { readdirSync, readFileSync } from 'node:fs'

/** Clock ticks per second in `/proc/<pid>/stat`: fixed to 100 for user space on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

/**
 * Processor time in seconds, user and system, that a process and all its descendants have used so far, so that a database or an
 * engine in a process of its own counts for the contender that started it. Elsewhere than on Linux: this process alone.
 */
export function treeCpuSeconds(rootPid: number): number {
  if (process.platform !== 'linux') {
    const cpu = process.cpuUsage()
    return (cpu.user + cpu.system) / 1e6
  }
  return tree(rootPid).reduce((sum, { ticks }) => sum + ticks, 0) / TICKS_PER_SECOND
}

/**
 * Memory in MB that a process and all its descendants hold now: the proportional set size where it can be read, so that shared
 * pages count once, else the resident set size. Elsewhere than on Linux: this process alone.
 */
export function treeMemoryMb(rootPid: number): number {
  if (process.platform !== 'linux') return process.memoryUsage.rss() / 1_048_576
  return tree(rootPid).reduce((sum, { pid }) => sum + memoryKb(pid), 0) / 1_024
}

function tree(rootPid: number): Process[] {
  const processes = listProcesses()
  const members = new Set([rootPid])
  let grown = true
  while (grown) {
    grown = false
    for (const { pid, parentPid } of processes) {
      if (!members.has(parentPid) || members.has(pid)) continue
      members.add(pid)
      grown = true
    }
  }
  return processes.filter(({ pid }) => members.has(pid))
}

interface Process {
  readonly pid: number
  readonly parentPid: number
  /** Own user and system time, and that of children already waited for. */
  readonly ticks: number
}

function listProcesses(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = readOrEmpty(`/proc/${name}/stat`)
      return stat === '' ? [] : [parseStat(stat)]
    })
}

/** Parses one `/proc/<pid>/stat` (man 5 proc). The name may hold spaces and brackets, so fields count from the last `)`. */
export function parseStat(stat: string): Process {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const field = (number: number): number => Number(fields[number - 3] ?? '0')
  return { pid: Number.parseInt(stat, 10), parentPid: field(4), ticks: field(14) + field(15) + field(16) + field(17) }
}

function memoryKb(pid: number): number {
  const proportional = /^Pss:\s+(\d+) kB/m.exec(readOrEmpty(`/proc/${pid}/smaps_rollup`))
  const resident = proportional ?? /^VmRSS:\s+(\d+) kB/m.exec(readOrEmpty(`/proc/${pid}/status`))
  return Number(resident?.[1] ?? 0)
}

/** A process may end, or belong to somebody else, between listing and reading: it then counts as nothing. */
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
