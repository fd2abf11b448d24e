import type { ProvePorts, ProveRequest } from './prove/prove.ts'
import type { SurfaceProof } from './prove/surface.ts'

/** The hosts that can be connected. */
export const HOST_KINDS = ['claude-code', 'openclaw', 'mcp'] as const
export type HostKind = (typeof HOST_KINDS)[number]

/** `observe`: everything is decided and recorded, nothing is stopped. `enforce`: what is not permitted does not happen. */
export type ConnectMode = 'observe' | 'enforce'

/**
 * How one kind of host is changed so that its calls go through Tidegate, and what of a file is ours.
 *
 * An adapter only looks and plans: it never writes. All of it must hold for every configuration that a person may have written: what is
 * not understood is refused with `configuration_unsupported`, never overwritten.
 */
export interface HostAdapter {
  readonly kind: HostKind
  /** As people call it: "Claude Code". */
  readonly title: string
  /** What is there. Looks only; at most it asks a program for its version. `config` names the file to use instead of the usual one. */
  detect(environment: HostEnvironment, config?: string): Promise<Detection>
  /**
   * What to change. Idempotent: on files that are connected already in this way it plans their own bytes. Never plans a secret into a
   * file: a host gets the name of the file that holds the token.
   */
  plan(request: ConnectRequest, detection: Detection): Promise<Plan>
  /** Looks whether the change took: is our part there, will the host read it, does the door answer. One `wrong` rolls everything back. */
  check(request: ConnectRequest, detection: Detection): Promise<readonly Finding[]>
  /** Takes our parts, and only them, out of a file that somebody changed since. Pure. */
  withdraw(file: string, current: Uint8Array): Withdrawal
  /**
   * Fires a canary through every way of acting of the detection: starts the host in a scratch copy of its state, as it is configured, with
   * the scripted model instead of its own. Changes nothing of the user's. Left out for a host that nobody can prove.
   */
  prove?(request: ProveRequest, ports: ProvePorts): Promise<readonly SurfaceProof[]>
}

/** The machine as an adapter sees it; the command line fills it in. */
export interface HostEnvironment {
  readonly home: string
  readonly cwd: string
  readonly platform: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Starts a program without a shell. Answers `code: null` when it cannot be started, was killed or took too long. */
  run(program: string, args: readonly string[], options: RunOptions): Promise<ProgramRun>
}

export interface RunOptions {
  readonly timeoutMs: number
  readonly input?: string
  readonly cwd?: string
}

export interface ProgramRun {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** What was found of a host. */
export interface Detection {
  readonly installed: boolean
  readonly version?: string
  /** Absolute path of its program. */
  readonly program?: string
  /** Its configuration: what decides whether calls come to us. These files are what a proof holds for. */
  readonly files: readonly { readonly role: string; readonly file: string; readonly exists: boolean }[]
  /** One line each, for people. */
  readonly notes: readonly string[]
  /** The ways by which this host can act, such as `hook:Bash` or `sub-agent`: each must be proved before it is enforced. */
  readonly surfaces: readonly string[]
}

/** What is wanted. */
export interface ConnectRequest {
  /** The name of the host in tidegate.yaml and in the ledger. */
  readonly name: string
  readonly mode: ConnectMode
  /** Of the server, where it is known; undefined while it does not run. */
  readonly url?: string
  /** Absolute path of the file with the host's token. Only its name may be written into a configuration. */
  readonly tokenFile: string
  /** Absolute path of the Tidegate project. */
  readonly project: string
  readonly environment: HostEnvironment
  /** A file to change instead of the usual one, absolute. */
  readonly config?: string
  /** `host`: what Tidegate permits, the host's own rules still judge. `allow`: a permit also answers the host's own question. */
  readonly permit: 'host' | 'allow'
  /** For how many seconds a call waits for people before it is told to come back later. */
  readonly waitSeconds?: number
  /** The host must hand over tickets with calls of our own tools. */
  readonly tickets?: boolean
  /** The command line that starts Tidegate, in absolute paths: for hooks. */
  readonly command: readonly [string, ...string[]]
}

export interface Plan {
  readonly edits: readonly Edit[]
  /** One line each, for people. */
  readonly notes: readonly string[]
}

/** One file, before and after. */
export interface Edit {
  /** Absolute. A symbolic link is followed: the file behind it is changed, the link stays. */
  readonly file: string
  /** Undefined: it does not exist. */
  readonly before: Uint8Array | undefined
  readonly after: Uint8Array
  /** One line for people. */
  readonly why: string
  /** Of a new file; 0o600 unless told. A file that exists keeps its own. */
  readonly mode?: number
}

/** One thing that was looked at. `cure` is empty when nothing is wrong. */
export interface Finding {
  readonly name: string
  readonly state: 'ok' | 'warning' | 'wrong'
  readonly detail: string
  readonly cure: string
}

/** `after: undefined` says that nothing of anybody else is left: the file may go if we made it. */
export type Withdrawal =
  | { readonly state: 'clean'; readonly after: Uint8Array | undefined; readonly removed: readonly string[] }
  | { readonly state: 'unclear'; readonly why: string }
