import { closeSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Sandbox, SandboxOpening, SandboxRefused, SandboxReport, SandboxSpec } from '@tidegate/kernel'
import { bwrapArguments, sandboxEnvironment, splitLocale } from './arguments.ts'
import { Cell, type CellParts } from './cell.ts'
import { type ControlGroup, createControlGroup, findGroupParents, type GroupParents, sweepGroups } from './control-group.ts'
import { type Door, openDoor } from './egress/door.ts'
import { SandboxBwrapError } from './error.ts'
import { type Host, inspectHost, type SystemDirectory, systemDirectories } from './host.ts'
import { missingLayers, surveyLayers } from './probe/layers.ts'
import { probeLeaks } from './probe/leaks.ts'
import { OWN_PROCESSES, runnerProgram } from './runner.ts'
import { createScaffold, type Pipe, type Scaffold } from './scaffold.ts'
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
    this.#ground?.scaffold.remove()
    this.#ground = null
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
    const scaffold = createScaffold({ parent: this.#options.directory, machine, bash, mkfifo })
    if (groups !== null) sweepGroups(groups)
    const fallback = this.#fallback
    const adopt = this.#options.adoptWorkspace === true
    const rules = { uid: host.uid, gid: host.gid, fallback, adopt, directory: scaffold.directory }
    this.#ground = { host, bwrap: bwrap.path, system: systemDirectories(), scaffold, groups, rules }
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

/** What a cell needs besides its pipes and its workspace; made before anything is started, so that nothing half-made is left. */
interface Furniture {
  readonly etc: string
  readonly sessionDirectory: string
  readonly group: ControlGroup | null
}

async function startCell(ground: Ground, spec: SandboxSpec): Promise<Cell | SandboxRefused> {
  const { scaffold } = ground
  const pipes = { stdout: await scaffold.leasePipe(), stderr: await scaffold.leasePipe() }
  const workspace = openWorkspace(spec.workspace, ground.rules)
  if (workspace.kind === 'defect') {
    abandon(scaffold, [pipes.stdout, pipes.stderr])
    return refuse('workspace', workspace.message)
  }
  let furniture: Furniture
  try {
    furniture = furnish(ground, spec, workspace.user)
  } catch (cause) {
    abandon(scaffold, [pipes.stdout, pipes.stderr])
    closeSync(workspace.descriptor)
    throw cause
  }
  return new Cell(describeCell({ ground, spec, workspace, pipes, furniture }))
}

function furnish({ scaffold, groups }: Ground, spec: SandboxSpec, user: User): Furniture {
  const etc = scaffold.etcFor(user)
  const sessionDirectory = scaffold.makeSession()
  return { etc, sessionDirectory, group: groups === null ? null : createControlGroup(groups, spec.limits, OWN_PROCESSES) }
}

interface CellSite {
  readonly ground: Ground
  readonly spec: SandboxSpec
  readonly workspace: { readonly descriptor: number; readonly user: User }
  readonly pipes: { readonly stdout: Pipe; readonly stderr: Pipe }
  readonly furniture: Furniture
}

function describeCell({ ground, spec, workspace, pipes, furniture }: CellSite): CellParts {
  const { host, scaffold, bwrap, system } = ground
  const { etc, sessionDirectory, group } = furniture
  const { user } = workspace
  const { egress, limits, readOnly } = spec
  const asRoot = host.uid === 0
  const { locale, rest } = splitLocale(sandboxEnvironment(spec.environment, egress !== null))
  const program = runnerProgram(limits, { groups: group?.descriptors.length ?? 0, locale })
  let door: Door | null = null
  return {
    bwrap,
    arguments: bwrapArguments({
      ...{ system, user, limits, readOnly, etc, sessionDirectory, program },
      isReadOnly: spec.isReadOnly === true,
      waits: egress !== null,
    }),
    environment: rest,
    user: asRoot ? user : null,
    filterPath: scaffold.filterPath,
    sessionDirectory,
    workspace: workspace.descriptor,
    pipes,
    group,
    prepare:
      egress === null
        ? null
        : async ({ pid, release }) => {
            door = await openDoor({ pid, asRoot, nsenter: host.nsenter ?? '', gate: egress })
            release()
          },
    released: async () => {
      door?.close()
      scaffold.returnPipe(pipes.stdout)
      scaffold.returnPipe(pipes.stderr)
      if (group !== null) await removeGroup(group)
    },
  }
}

function abandon(scaffold: Scaffold, pipes: readonly Pipe[]): void {
  for (const pipe of pipes) {
    closeSync(pipe.readEnd)
    closeSync(pipe.writeEnd)
    scaffold.returnPipe(pipe)
  }
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
