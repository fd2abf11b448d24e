import { chownSync, closeSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Sandbox, SandboxOpening, SandboxRefused, SandboxReport, SandboxSpec } from '@tidegate/kernel'
import { bwrapArguments, sandboxEnvironment, splitLocale } from './arguments.ts'
import { Cell } from './cell.ts'
import {
  type ControlGroup,
  createControlGroup,
  findGroupParents,
  type GroupParents,
  groupPlaces,
  nameGroup,
  sweepGroups,
} from './control-group.ts'
import { type Door, openDoor } from './egress/door.ts'
import { SandboxBwrapError } from './error.ts'
import { type Host, inspectHost, type SystemDirectory, systemDirectories } from './host.ts'
import type { EnteredGroups, Launcher, LauncherPlan } from './launcher.ts'
import { createLaunchers, type Launchers, type OpenDirectory } from './launchers.ts'
import { missingLayers, surveyLayers } from './probe/layers.ts'
import { probeLeaks } from './probe/leaks.ts'
import { OWN_PROCESSES, runnerProgram } from './runner.ts'
import { type Berth, createScaffold, type Scaffold } from './scaffold.ts'
import { refuse, Session } from './session.ts'
import { findSpecificationDefect } from './specification.ts'
import { openWorkspace, type WorkspaceRules } from './workspace.ts'

export interface BwrapOptions {
  /** An absolute directory for our own files, which need a few megabytes. Nothing in it outlives the process. */
  readonly directory: string
  /** Whom commands run as when we are root and root owns the workspace; 65534 unless given. Never 0. */
  readonly uid?: number
  readonly gid?: number
  /** Give workspaces that root owns to that user. Without it they are refused. */
  readonly adoptWorkspace?: boolean
  /** A delegated control group (version 2) without processes of its own, as a directory. */
  readonly cgroupParent?: string
  /** The program to use instead of the one that the system has. */
  readonly bwrap?: string
}

/** How long a sandbox may take to start, on a machine that is very busy. */
const START_TIMEOUT_MS = 20_000
const NOBODY = 65_534
/** How often it is tried to remove a control group that the kernel has not let go yet, and how long between. */
const GROUP_ATTEMPTS = 40
const GROUP_PAUSE_MS = 25

/** Makes the sandbox of this host. Nothing is started or looked at before the first probe. @throws SandboxBwrapError for its options. */
export function createBwrapSandbox(options: BwrapOptions): Sandbox {
  if (!isAbsolute(options.directory))
    throw new SandboxBwrapError('sandbox_option', 'the directory of the sandbox has to be an absolute path')
  for (const id of [options.uid ?? NOBODY, options.gid ?? NOBODY]) {
    if (!Number.isInteger(id) || id <= 0 || id > 0xfffffffe) {
      throw new SandboxBwrapError(
        'sandbox_option',
        'the user and the group of a sandbox have to be numbers above 0: commands never run as root',
      )
    }
  }
  return new BwrapSandbox(options)
}

interface User {
  readonly uid: number
  readonly gid: number
}

/** What sandboxes are made with, once the host was found to have it. */
interface Ground {
  readonly host: Host
  readonly bwrap: string
  readonly system: readonly SystemDirectory[]
  readonly scaffold: Scaffold
  readonly launchers: Launchers
  readonly groups: GroupParents | null
  readonly rules: WorkspaceRules
}

class BwrapSandbox implements Sandbox {
  readonly #options: BwrapOptions
  readonly #sessions = new Set<Session>()
  #ground: Ground | null = null
  #report: Promise<SandboxReport> | null = null
  #closed = false

  constructor(options: BwrapOptions) {
    this.#options = options
  }

  probe(): Promise<SandboxReport> {
    this.#report = this.#probeNow()
    return this.#report
  }

  async open(spec: SandboxSpec): Promise<SandboxOpening> {
    const defect = findSpecificationDefect(spec)
    if (defect !== null) return refuse('specification', defect)
    const report = await (this.#report ?? this.probe())
    if (!report.sound) return refuse('layer_missing', explain(report))
    return this.#openSession(spec)
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#sessions].map((session) => session.close()))
    const ground = this.#ground
    this.#ground = null
    await ground?.launchers.close()
    ground?.scaffold.remove()
  }

  get #fallback(): User {
    return { uid: this.#options.uid ?? NOBODY, gid: this.#options.gid ?? NOBODY }
  }

  async #probeNow(): Promise<SandboxReport> {
    const host = await inspectHost(this.#options.bwrap)
    const groups = findGroupParents(this.#options.cgroupParent ?? null, host.uid)
    const layers = surveyLayers(host, groups)
    if (missingLayers(layers).length > 0) return { sound: false, layers, leaks: [] }
    this.#lay(host, 'missing' in groups ? null : groups)
    const found = await probeLeaks({
      host,
      open: (spec) => this.#openSession(spec),
      directory: this.#options.directory,
      user: this.#fallback,
    })
    const all = [...layers, ...found.layers]
    const sound = missingLayers(all).length === 0 && found.leaks.every(({ state }) => state !== 'leaked')
    return { sound, layers: all, leaks: found.leaks }
  }

  #lay(host: Host, groups: GroupParents | null): void {
    const { bwrap, bash, mkfifo, machine } = host
    if (this.#ground !== null || bwrap === null || bash === null || mkfifo === null || machine === null) return
    const scaffold = createScaffold({ parent: this.#options.directory, machine, bash, mkfifo, asRoot: host.uid === 0 })
    if (groups !== null) sweepGroups(groups)
    const fallback = this.#fallback
    const adopt = this.#options.adoptWorkspace === true
    const rules = { uid: host.uid, gid: host.gid, fallback, adopt, directory: scaffold.directory }
    this.#ground = { host, bwrap: bwrap.path, system: systemDirectories(), scaffold, launchers: createLaunchers(), groups, rules }
  }

  async #openSession(spec: SandboxSpec): Promise<SandboxOpening> {
    const open = (): Promise<Cell | SandboxRefused> => this.#openCell(spec)
    const cell = await open()
    if ('because' in cell) return cell
    if (this.#closed) {
      cell.kill('interrupted')
      await cell.ended
      return refuse('closed', 'the sandbox is closed')
    }
    const session = new Session({ cell, limits: spec.limits, open, onClosed: (closed) => this.#sessions.delete(closed) })
    this.#sessions.add(session)
    return { kind: 'opened', session }
  }

  async #openCell(spec: SandboxSpec): Promise<Cell | SandboxRefused> {
    const ground = this.#ground
    if (this.#closed || ground === null) return refuse('closed', 'the sandbox is closed')
    try {
      const cell = await startCell(ground, spec)
      if ('because' in cell) return cell
      const complaint = await cell.start(START_TIMEOUT_MS)
      if (complaint === null) return cell
      cell.kill('died')
      await cell.ended
      return refuse('failed', complaint)
    } catch (cause) {
      return refuse('failed', `the sandbox could not be started: ${cause instanceof Error ? cause.message : String(cause)}`)
    }
  }
}

async function startCell(ground: Ground, spec: SandboxSpec): Promise<Cell | SandboxRefused> {
  const { scaffold } = ground
  const workspace = openWorkspace(spec.workspace, ground.rules)
  if (workspace.kind === 'defect') return refuse('workspace', workspace.message)
  try {
    const berth = await scaffold.leaseBerth(workspace.user)
    return moor(ground, spec, { berth, workspace })
  } finally {
    closeSync(workspace.descriptor)
  }
}

interface Site {
  readonly berth: Berth
  readonly workspace: OpenDirectory & { readonly user: User }
}

/** Has a sandbox started at a berth. When that fails the berth is lost, since somebody may still come to it. */
function moor(ground: Ground, spec: SandboxSpec, { berth, workspace }: Site): Cell {
  const { groups, launchers, host } = ground
  const { user } = workspace
  const asRoot = host.uid === 0
  const name = nameGroup()
  const makeGroup = (): ControlGroup | null =>
    groups === null ? null : createControlGroup(groups, { name, limits: spec.limits, ownProcesses: OWN_PROCESSES })
  // In version 2 only root may lead another user's process into a group of root's.
  const isLed = asRoot && groups?.version === 2
  let group = isLed ? makeGroup() : null
  const entered: EnteredGroups =
    group === null
      ? { kind: 'named', ...(groups === null ? NO_GROUPS : groupPlaces(groups)) }
      : { kind: 'open', files: group.files }
  const plan = { ...planLauncher(ground, spec, user), groups: entered }
  const launcher = isLed ? launchers.once(plan, workspace) : launchers.find(plan, workspace)
  // What is launched waits for our ends of the pipes; the group is made meanwhile.
  const launched = launcher.launch(berth.name, name)
  try {
    group ??= makeGroup()
    // The user of the sandbox enters by itself; nothing inside sees these files.
    if (asRoot && !isLed) for (const file of group?.files ?? []) chownSync(file, user.uid, user.gid)
    return describeCell({ ground, spec, berth, launcher, launched, group })
  } catch (cause) {
    launched.then((pid) => (pid === null ? null : launcher.kill(pid))).catch(() => {})
    launchers.release(launcher)
    group?.remove()
    throw cause
  }
}

const NO_GROUPS = { directories: [], file: '' }

/** What sandboxes like this one are launched with, but for their control groups. */
function planLauncher(ground: Ground, spec: SandboxSpec, user: User): Omit<LauncherPlan, 'groups'> {
  const { host, scaffold, bwrap, system, groups } = ground
  const { limits, readOnly } = spec
  const waits = spec.egress !== null
  const { locale, rest } = splitLocale(sandboxEnvironment(spec.environment, waits))
  const program = runnerProgram(limits, { groups: groups === null ? 0 : groupPlaces(groups).directories.length, locale })
  const { before, after } = bwrapArguments({
    ...{ system, user, limits, readOnly, etc: scaffold.etcFor(user), program, waits },
    isReadOnly: spec.isReadOnly === true,
  })
  return {
    ...{ shell: scaffold.shell, bwrap, before, after, environment: rest, waits, directory: scaffold.directory },
    user: host.uid === 0 ? user : null,
  }
}

interface CellSite {
  readonly ground: Ground
  readonly spec: SandboxSpec
  readonly berth: Berth
  readonly launcher: Launcher
  readonly launched: Promise<number | null>
  readonly group: ControlGroup | null
}

function describeCell({ ground, spec, berth, launcher, launched, group }: CellSite): Cell {
  const { host, scaffold, launchers } = ground
  const { egress } = spec
  const asRoot = host.uid === 0
  let door: Door | null = null
  return new Cell({
    launcher,
    launched,
    berth,
    prepare:
      egress === null
        ? null
        : async ({ pid, release }) => {
            door = await openDoor({ pid, asRoot, nsenter: host.nsenter ?? '', gate: egress })
            release()
          },
    released: async ({ clean }) => {
      door?.close()
      launchers.release(launcher)
      if (clean) scaffold.returnBerth(berth)
      if (group !== null) await removeGroup(group)
    },
  })
}

async function removeGroup(group: ControlGroup): Promise<void> {
  for (let attempt = 0; attempt < GROUP_ATTEMPTS && !group.remove(); attempt += 1) await sleep(GROUP_PAUSE_MS)
}

function explain(report: SandboxReport): string {
  const missing = missingLayers(report.layers).map(
    ({ name, detail, get }) => `${name} is missing (${detail})${get === null ? '' : `: ${get}`}`,
  )
  const leaked = report.leaks.filter(({ state }) => state === 'leaked').map(({ name, detail }) => `${name} gets out (${detail})`)
  return `no command can be run safely here: ${[...missing, ...leaked].join('; ')}`
}
