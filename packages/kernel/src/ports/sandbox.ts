/** Where commands find the workspace, whatever its path outside. Also their home and where they start. */
export const SANDBOX_WORKSPACE = '/workspace'

/** What one session is held to. Every command is; `processes` and `memoryBytes` over all that run at the same time. */
export interface SandboxLimits {
  /** The longest any one command may take, until it is ended with everything that it started. */
  readonly wallMs: number
  /** Processor time of each process of a command. */
  readonly cpuSeconds: number
  /** Of each process; of all together where the host grants a control group. Temporary files count extra, up to as much again. */
  readonly memoryBytes: number
  readonly processes: number
  /** What is kept of standard output, and again of standard error. The rest is read and thrown away. */
  readonly outputBytes: number
  /** The longest file that a command may write. */
  readonly fileBytes: number
}

/** Somebody inside wants to reach the outside. Who controls `host`: the command, and so perhaps the attacker. */
export interface EgressRequest {
  /** A name or an address in lower case, without brackets. */
  readonly host: string
  readonly port: number
}

/** `addresses` are the private addresses that this one connection may use, as `address:port`; public ones need no listing. */
export type EgressVerdict =
  | { readonly allowed: true; readonly addresses?: readonly string[] }
  | { readonly allowed: false; readonly reason: string }

/** What became of one connection. `bytes` are those of both directions. */
export type EgressEvent =
  | { readonly kind: 'opened'; readonly host: string; readonly port: number; readonly address: string }
  | { readonly kind: 'refused'; readonly host: string; readonly port: number; readonly reason: string }
  | { readonly kind: 'closed'; readonly host: string; readonly port: number; readonly bytes: number; readonly cut: boolean }

/** Decides on every connection out of a sandbox. A `decide` that rejects refuses (I6). `observed` must not throw. */
export interface EgressGate {
  decide(request: EgressRequest): Promise<EgressVerdict>
  observed(event: EgressEvent): void
}

/** Something of the host that is seen inside and cannot be changed there. Both are absolute; the source has to exist. */
export interface SandboxMount {
  readonly source: string
  readonly target: string
}

export interface SandboxSpec {
  /** Names the session in messages: letters, digits, `-`, `_` and `.`, at most 64. */
  readonly id: string
  /** An absolute directory of the host: the only thing that commands can change. */
  readonly workspace: string
  /** True for commands that may not even change that. */
  readonly isReadOnly?: boolean
  /** Laid over the workspace too, where the target lies in it. */
  readonly readOnly: readonly SandboxMount[]
  /** The whole environment besides PATH, HOME, TMPDIR, LANG, USER and their kin, which it may override. */
  readonly environment: Readonly<Record<string, string>>
  readonly limits: SandboxLimits
  /** `null`: no network at all. */
  readonly egress: EgressGate | null
}

export interface SandboxCommand {
  /** A text for bash, or a program with its arguments. Neither may contain U+0000. */
  readonly command: string | readonly string[]
  /** Nothing when left out: reading gives the end at once. */
  readonly stdin?: Uint8Array
  /** Inside: absolute, or below the workspace. */
  readonly cwd?: string
  /** Less than the session's `wallMs`, for this command alone. */
  readonly timeoutMs?: number
  /** Called with what arrives, as long as it is kept. Must not throw. The bytes may be kept by the receiver. */
  readonly onOutput?: (stream: 'stdout' | 'stderr', bytes: Uint8Array) => void
}

export interface SandboxOutput {
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  /** True when there was more than `outputBytes`. */
  readonly stdoutTruncated: boolean
  readonly stderrTruncated: boolean
  readonly durationMs: number
}

/** The command ended by itself. A signal shows as 128 and its number, as in a shell. */
export interface SandboxEnded extends SandboxOutput {
  readonly kind: 'ended'
  readonly exitCode: number
}

/** The command was ended, with everything in its sandbox. What it had done is done. */
export interface SandboxStopped extends SandboxOutput {
  readonly kind: 'stopped'
  /** `died`: the sandbox itself ended, as when memory runs out. */
  readonly because: 'time' | 'interrupted' | 'died'
}

/** Nothing was executed. `message` is for people and says what to do. */
export interface SandboxRefused {
  readonly kind: 'refused'
  readonly because: 'layer_missing' | 'specification' | 'workspace' | 'command' | 'closed' | 'failed'
  readonly message: string
}

export type SandboxResult = SandboxEnded | SandboxStopped | SandboxRefused

export type SandboxOpening = { readonly kind: 'opened'; readonly session: SandboxSession } | SandboxRefused

/**
 * A sandbox that is kept for one run.
 *
 * Commands run one after the other, each in a fresh shell; a second call waits for the first. What a command leaves in the workspace and
 * among temporary files the next one finds. What it leaves running is ended before `run` answers. A command can neither see nor forge
 * how it ended, nor read another one. After a command was stopped, the next one gets a new sandbox without the temporary files.
 */
export interface SandboxSession {
  /** Never rejects. */
  run(command: SandboxCommand): Promise<SandboxResult>
  /** Ends the command that is running, if one is: it answers `stopped`. */
  interrupt(): void
  /** Ends everything and resolves when nothing of it runs any more. */
  close(): Promise<void>
}

/** One thing that the isolation is made of. `get` says to people how to have it, when it is missing. */
export interface SandboxLayer {
  readonly name: string
  readonly state: 'present' | 'missing'
  /** A sandbox that lacks a required layer refuses to open. */
  readonly required: boolean
  readonly detail: string
  readonly get: string | null
}

/** One attempt to get out, made from inside. `unknown`: it could not be tried, `detail` says why. */
export interface SandboxLeak {
  readonly name: string
  readonly state: 'held' | 'leaked' | 'unknown'
  readonly detail: string
}

/** `sound` is true when every required layer is present and nothing leaked. */
export interface SandboxReport {
  readonly sound: boolean
  readonly layers: readonly SandboxLayer[]
  readonly leaks: readonly SandboxLeak[]
}

/**
 * Runs commands that nobody trusts. The second line: it holds even if everything before it was fooled.
 *
 * Fails closed: `open` refuses while a required layer is missing, and before a probe of the same sandbox found it sound. `probe` looks
 * anew each time; `open` runs it by itself when it has not run yet. Nothing here throws for what the host lacks.
 */
export interface Sandbox {
  probe(): Promise<SandboxReport>
  open(spec: SandboxSpec): Promise<SandboxOpening>
  /** Closes all sessions. */
  close(): Promise<void>
}
