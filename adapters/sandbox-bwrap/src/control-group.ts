import { randomBytes } from 'node:crypto'
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SandboxLimits } from '@tidegate/kernel'
import { readSystemFile } from './host.ts'

const MOUNT = '/sys/fs/cgroup'

/** Where groups can be made: one hierarchy (version 2), or one for each controller (version 1). */
export type GroupParents =
  | { readonly version: 2; readonly directory: string }
  | { readonly version: 1; readonly memory: string; readonly pids: string }

/** One group for one sandbox. Processes enter by writing `0` into each of its files. */
export interface ControlGroup {
  readonly files: readonly string[]
  /** Removes the group, once nothing is in it; false when something still is. */
  remove(): boolean
}

/**
 * Finds out where groups can be made, or says why nowhere. Version 2 needs a delegated directory without processes, which only the
 * operator can name; version 1 is for root.
 */
export function findGroupParents(delegated: string | null, uid: number): GroupParents | { readonly missing: string } {
  if (delegated !== null) return delegatedParents(delegated)
  if (uid !== 0) return { missing: 'no delegated control group was named' }
  const text = readSystemFile('/proc/self/cgroup')
  const memory = versionOnePath(text, 'memory')
  const pids = versionOnePath(text, 'pids')
  if (memory === null || pids === null) return { missing: 'no delegated control group was named, and version 1 is not in use' }
  return { version: 1, memory, pids }
}

function delegatedParents(directory: string): GroupParents | { readonly missing: string } {
  const controllers = readSystemFile(join(directory, 'cgroup.controllers'))?.split(/\s+/) ?? []
  if (!controllers.includes('memory') || !controllers.includes('pids')) {
    return { missing: `${directory} does not offer the controllers memory and pids` }
  }
  try {
    writeFileSync(join(directory, 'cgroup.subtree_control'), '+memory +pids')
    return { version: 2, directory }
  } catch {
    return { missing: `${directory} is not delegated to this user, or holds processes itself` }
  }
}

/** The group that we are in, below the hierarchy of a controller, when we may write there. */
function versionOnePath(text: string | null, controller: string): string | null {
  const line = text?.split('\n').find((entry) => entry.split(':')[1]?.split(',').includes(controller))
  const path = line?.split(':').slice(2).join(':')
  if (path === undefined) return null
  return [join(MOUNT, controller, path), join(MOUNT, controller)].find(isWritable) ?? null
}

function isWritable(directory: string): boolean {
  try {
    accessSync(join(directory, 'tasks'), constants.W_OK)
    return true
  } catch {
    return false
  }
}

const OURS = /^tidegate-(\d{1,10})-[0-9a-f]{16}$/

/** Removes the empty groups of processes of ours that are gone: whoever is killed leaves them. */
export function sweepGroups(parents: GroupParents): void {
  const directories = parents.version === 2 ? [parents.directory] : [parents.memory, parents.pids]
  for (const directory of directories) {
    for (const name of readdirSync(directory)) {
      const pid = OURS.exec(name)?.[1]
      if (pid !== undefined && !existsSync(`/proc/${pid}`)) removeGroup(join(directory, name))
    }
  }
}

/** Where the groups of sandboxes are made, and the file by which a process enters one. */
export function groupPlaces(parents: GroupParents): { readonly directories: readonly string[]; readonly file: string } {
  if (parents.version === 2) return { directories: [parents.directory], file: 'cgroup.procs' }
  // A single thread that enters by itself does not make the kernel wait for all processors, which version 1 alone can do.
  return { directories: [parents.memory, parents.pids], file: 'tasks' }
}

/** A name for a group that no other one has, and by which {@link sweepGroups} knows it. */
export function nameGroup(): string {
  return `tidegate-${process.pid}-${randomBytes(8).toString('hex')}`
}

/** Makes a group with the limits of a session. `ownProcesses` are allowed besides. */
export function createControlGroup(
  parents: GroupParents,
  { name, limits, ownProcesses }: { readonly name: string; readonly limits: SandboxLimits; readonly ownProcesses: number },
): ControlGroup {
  const processes = String(limits.processes + ownProcesses)
  const memory = String(limits.memoryBytes)
  const { file } = groupPlaces(parents)
  if (parents.version === 2) {
    const directory = join(parents.directory, name)
    const values = { 'memory.max': memory, 'pids.max': processes }
    return make(file, [{ directory, values, maybe: { 'memory.swap.max': '0' } }])
  }
  const maybe = { 'memory.memsw.limit_in_bytes': memory }
  return make(file, [
    { directory: join(parents.memory, name), values: { 'memory.limit_in_bytes': memory }, maybe },
    { directory: join(parents.pids, name), values: { 'pids.max': processes }, maybe: {} },
  ])
}

interface Part {
  readonly directory: string
  readonly values: Readonly<Record<string, string>>
  /** Not every kernel counts swap. */
  readonly maybe: Readonly<Record<string, string>>
}

function make(file: string, parts: readonly Part[]): ControlGroup {
  const made: string[] = []
  const remove = (): boolean => made.every(removeGroup)
  try {
    for (const { directory, values, maybe } of parts) {
      mkdirSync(directory)
      made.push(directory)
      for (const [limit, value] of Object.entries(values)) writeFileSync(join(directory, limit), value)
      for (const [limit, value] of Object.entries(maybe)) writeIfThere(join(directory, limit), value)
    }
    return { files: made.map((directory) => join(directory, file)), remove }
  } catch (cause) {
    remove()
    throw cause
  }
}

function writeIfThere(file: string, value: string): void {
  try {
    readFileSync(file)
    writeFileSync(file, value)
  } catch {
    // Swap is not counted here. The limit of memory holds all the same.
  }
}

function removeGroup(directory: string): boolean {
  try {
    rmdirSync(directory)
    return true
  } catch (cause) {
    // Busy: something is still in it.
    return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
  }
}
