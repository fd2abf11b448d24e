import type {
  SandboxCommand,
  SandboxLimits,
  SandboxOutput,
  SandboxRefused,
  SandboxResult,
  SandboxSession,
} from '@tidegate/kernel'
import type { Cell, CellCommand, CellResult } from './cell.ts'
import { REQUEST_LIMITS } from './limits.ts'
import { encodeCommand } from './specification.ts'

/** How often a command is handed to a sandbox that may not take it. */
const ATTEMPTS = 2

/** Starts a fresh sandbox for a session, or says why there is none. */
export type CellOpener = () => Promise<Cell | SandboxRefused>

/**
 * A session over a sandbox that is kept as long as it is clean.
 *
 * A command that ended by itself left nothing running behind, so the next one takes the same sandbox. One that was stopped took its
 * sandbox with it: the next one gets a new one.
 */
export class Session implements SandboxSession {
  readonly #limits: SandboxLimits
  readonly #open: CellOpener
  readonly #onClosed: (session: Session) => void
  #cell: Cell
  #queue: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #running = false
  #closed = false

  constructor(parts: {
    readonly cell: Cell
    readonly limits: SandboxLimits
    readonly open: CellOpener
    readonly onClosed: (session: Session) => void
  }) {
    this.#cell = parts.cell
    this.#limits = parts.limits
    this.#open = parts.open
    this.#onClosed = parts.onClosed
  }

  run(command: SandboxCommand): Promise<SandboxResult> {
    if (this.#waiting >= REQUEST_LIMITS.waiting)
      return Promise.resolve(refuse('command', 'too many commands wait in this session'))
    const encoded = encodeCommand(command)
    if (encoded.kind === 'defect') return Promise.resolve(refuse('command', encoded.message))
    this.#waiting += 1
    const turn = this.#queue.then(async () => {
      try {
        return await this.#runNow(command, encoded.frame)
      } finally {
        this.#waiting -= 1
      }
    })
    this.#queue = turn
    return turn
  }

  interrupt(): void {
    if (this.#running) this.#cell.kill('interrupted')
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cell.kill('interrupted')
    await this.#cell.ended
    this.#onClosed(this)
  }

  async #runNow(command: SandboxCommand, frame: Uint8Array): Promise<SandboxResult> {
    try {
      for (let attempt = 1; ; attempt += 1) {
        const missing = await this.#freshCell()
        if (missing !== null) return missing
        const result = await this.#runInCell(command, frame)
        if (result !== null) return result
        if (attempt === ATTEMPTS) return refuse('failed', 'the sandbox did not take the command: nothing of it ran')
      }
    } catch (cause) {
      return refuse('failed', `the sandbox could not be used: ${cause instanceof Error ? cause.message : String(cause)}`)
    }
  }

  /** Sees to it that there is a living sandbox, or says why there is none. */
  async #freshCell(): Promise<SandboxRefused | null> {
    if (this.#closed) return refuse('closed', 'the session is closed')
    if (this.#cell.alive) return null
    await this.#cell.ended
    const opened = await this.#open()
    if ('because' in opened) return opened
    this.#cell = opened
    if (!this.#closed) return null
    opened.kill('interrupted')
    await opened.ended
    return refuse('closed', 'the session is closed')
  }

  /** Runs it, or answers null when it is certain that nothing of it ran and its sandbox is gone. */
  async #runInCell(command: SandboxCommand, frame: Uint8Array): Promise<SandboxResult | null> {
    const request: CellCommand = {
      frame,
      stdin: command.stdin ?? null,
      timeoutMs: Math.min(command.timeoutMs ?? this.#limits.wallMs, this.#limits.wallMs),
      outputBytes: this.#limits.outputBytes,
      onOutput: command.onOutput ?? ((): void => {}),
    }
    const startedMs = performance.now()
    this.#running = true
    const result = await this.#cell.run(request).finally(() => {
      this.#running = false
    })
    if (!result.taken && result.because === 'died') return null
    const output = describe(result, performance.now() - startedMs)
    return result.code === null
      ? { kind: 'stopped', because: result.because, ...output }
      : { kind: 'ended', exitCode: result.code, ...output }
  }
}

function describe({ stdout, stderr }: CellResult, durationMs: number): SandboxOutput {
  return {
    stdout: stdout.bytes,
    stderr: stderr.bytes,
    stdoutTruncated: stdout.truncated,
    stderrTruncated: stderr.truncated,
    durationMs,
  }
}

export function refuse(because: SandboxRefused['because'], message: string): SandboxRefused {
  return { kind: 'refused', because, message }
}
