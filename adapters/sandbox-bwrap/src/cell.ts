import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Socket } from 'node:net'
import { join } from 'node:path'
import type { Duplex, Readable } from 'node:stream'
import type { ControlGroup } from './control-group.ts'
import { StreamGatherer, type Gathered } from './output.ts'
import { DESCRIPTORS, encodeNumber, GO, NONCE_LENGTH, STDIN_FILE, TAKEN } from './runner.ts'
import type { Pipe } from './scaffold.ts'

/** What a cell is started with; the cell owns it from then on and gives it back through `released`. */
export interface CellParts {
  readonly bwrap: string
  readonly arguments: readonly string[]
  readonly environment: Record<string, string>
  /** The user that bubblewrap runs as, when it is not ours. */
  readonly user: { readonly uid: number; readonly gid: number } | null
  readonly filterPath: string
  readonly sessionDirectory: string
  /** An open descriptor of the workspace. The cell closes it. */
  readonly workspace: number
  readonly pipes: { readonly stdout: Pipe; readonly stderr: Pipe }
  readonly group: ControlGroup | null
  /** Called once the process exists; the cell starts only when it resolves. Null when nothing has to be done. */
  readonly prepare: ((child: { readonly pid: number; release(): void }) => Promise<void>) | null
  /** Called once nothing of the cell is left; the cell has ended when it resolves. */
  readonly released: () => Promise<void>
}

export interface CellCommand {
  readonly frame: Uint8Array
  readonly stdin: Uint8Array | null
  readonly timeoutMs: number
  readonly outputBytes: number
  readonly onOutput: (stream: 'stdout' | 'stderr', bytes: Uint8Array) => void
}

export type StopReason = 'time' | 'interrupted' | 'died'

export interface CellResult {
  /** A number when the command ended by itself. */
  readonly code: number | null
  readonly because: StopReason
  /** False when it is certain that nothing of the command ran. */
  readonly taken: boolean
  readonly stdout: Gathered
  readonly stderr: Gathered
}

interface Current {
  /** What of W6 has been seen: nothing yet, the sign, or something else in its place. */
  sign: 'awaited' | 'seen' | 'absent'
  readonly stdout: StreamGatherer
  readonly stderr: StreamGatherer
  readonly finish: () => void
}

/** How long a dying cell may take before its guard is killed, too. */
const GRACE_MS = 2_000
/** What bubblewrap says when it cannot start, at most. */
const COMPLAINT_BYTES = 4_096
const CHILD_STAT_BYTES = 4_096

/** One running sandbox with its resident shell; runs one command at a time. After a stop it is of no more use. */
export class Cell {
  readonly #parts: CellParts
  readonly #guard: ChildProcess
  readonly #frames: Duplex
  readonly #nonces: Duplex
  readonly #streams: readonly Socket[]
  readonly ended: Promise<void>
  #current: Current | null = null
  #childPid: number | null = null
  #over = false
  #gone = false
  #sent = 0
  #because: StopReason = 'died'

  constructor(parts: CellParts) {
    this.#parts = parts
    this.#guard = spawnGuard(parts)
    const [, , , nonces, info] = this.#guard.stdio
    // Sound: these three are pipes, as spawnGuard asks for.
    this.#frames = this.#guard.stdin as Duplex
    this.#nonces = nonces as Duplex
    for (const stream of [this.#frames, this.#nonces]) stream.on('error', () => this.kill('died'))
    this.#streams = [this.#listen(parts.pipes.stdout, 'stdout'), this.#listen(parts.pipes.stderr, 'stderr')]
    this.#readInfo(info as Readable)
    this.ended = this.#watch()
  }

  get alive(): boolean {
    return !this.#over
  }

  /** Waits until the resident shell is there. The answer is null, or what went wrong in words. */
  async start(timeoutMs: number): Promise<string | null> {
    const result = await this.#await({ timeoutMs, outputBytes: COMPLAINT_BYTES, onOutput: () => {} }, null)
    if (result.code === 0) return null
    const said = Buffer.from(result.stderr.bytes).toString('utf8').trim()
    return said === '' ? `the sandbox did not start (${result.because})` : said
  }

  run(command: CellCommand): Promise<CellResult> {
    const input = join(this.#parts.sessionDirectory, STDIN_FILE)
    const hasInput = command.stdin !== null
    if (command.stdin !== null) {
      writeFileSync(input, command.stdin)
      chmodSync(input, 0o644)
    }
    const result = this.#await(command, command.frame)
    return hasInput ? result.finally(() => rm(input, { force: true })) : result
  }

  /** Ends everything inside at once. The first reason counts. */
  kill(because: StopReason): void {
    if (this.#over) return
    this.#over = true
    this.#because = because
    if (this.#childPid !== null && isChild(this.#childPid, this.#guard.pid)) {
      process.kill(this.#childPid, 'SIGKILL')
      setTimeout(() => this.#guard.kill('SIGKILL'), GRACE_MS).unref()
    } else {
      this.#guard.kill('SIGKILL')
    }
  }

  #await(options: Pick<CellCommand, 'timeoutMs' | 'outputBytes' | 'onOutput'>, frame: Uint8Array | null): Promise<CellResult> {
    const nonce = randomBytes(NONCE_LENGTH / 2).toString('hex')
    const gather = (stream: 'stdout' | 'stderr'): StreamGatherer =>
      new StreamGatherer(nonce, options.outputBytes, (bytes) => options.onOutput(stream, bytes))
    const stdout = gather('stdout')
    const stderr = gather('stderr')
    return new Promise((resolve) => {
      const current: Current = { sign: frame === null ? 'absent' : 'awaited', stdout, stderr, finish: () => finish() }
      const finish = (): void => {
        clearTimeout(timer)
        this.#current = null
        const code = stderr.code === null ? null : stdout.code
        const taken = current.sign === 'seen'
        if (frame !== null && !taken) this.kill('died')
        if (code !== null && !this.#over) this.#nonces.write(GO)
        resolve({ code, because: this.#because, taken, stdout: stdout.take(), stderr: stderr.take() })
      }
      const timer = setTimeout(() => this.kill('time'), options.timeoutMs)
      this.#current = current
      if (this.#gone) return finish()
      if (frame !== null) this.#send(frame)
      this.#nonces.write(nonce)
    })
  }

  #send(frame: Uint8Array): void {
    this.#sent += 1
    this.#frames.cork()
    this.#frames.write(encodeNumber(this.#sent))
    this.#frames.write(frame)
    this.#frames.uncork()
  }

  #listen(pipe: Pipe, name: 'stdout' | 'stderr'): Socket {
    const stream = new Socket({ fd: pipe.readEnd, readable: true, writable: false })
    stream.on('error', () => this.kill('died'))
    stream.on('data', (chunk: Buffer) => {
      const current = this.#current
      // Between two commands nothing is alive that could write.
      if (current === null) return this.kill('died')
      current[name].push(name === 'stdout' ? withoutSign(current, chunk) : chunk)
      if (current.stdout.code !== null && current.stderr.code !== null) current.finish()
    })
    return stream
  }

  #readInfo(info: Readable): void {
    let text = ''
    info.on('error', () => {})
    info.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      const match = /"child-pid": ?(\d{1,10})/.exec(text)
      if (match === null || this.#childPid !== null) return
      this.#childPid = Number(match[1])
      const release = (): void => {
        // Sound: spawnGuard asks for a pipe here when there is something to prepare.
        const block = this.#guard.stdio[DESCRIPTORS.block as 4] as Duplex
        block.end('x')
      }
      this.#parts.prepare?.({ pid: this.#childPid, release }).catch(() => this.kill('died'))
    })
  }

  /** Resolves when the guard has reaped process 1, which the kernel lets end only after everything else inside. */
  async #watch(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#guard.once('error', () => resolve())
      this.#guard.once('exit', () => resolve())
    })
    this.#over = true
    await Promise.all(this.#streams.map(drained))
    this.#frames.destroy()
    this.#nonces.destroy()
    this.#gone = true
    this.#current?.finish()
    await rm(this.#parts.sessionDirectory, { recursive: true, force: true })
    await this.#parts.released()
  }
}

/** Starts bubblewrap. Descriptors that it inherits are closed here again. */
function spawnGuard(parts: CellParts): ChildProcess {
  const opened = [openSync(parts.filterPath, 'r'), parts.workspace]
  const { stdout, stderr } = parts.pipes
  try {
    return spawn(parts.bwrap, parts.arguments, {
      cwd: '/',
      env: parts.environment,
      stdio: [
        ...(['pipe', stdout.writeEnd, stderr.writeEnd, 'pipe', 'pipe'] as const),
        ...opened,
        parts.prepare === null ? 'ignore' : 'pipe',
        ...(parts.group?.descriptors ?? []),
      ],
      ...(parts.user === null ? {} : parts.user),
    })
  } finally {
    for (const descriptor of [...opened, stdout.writeEnd, stderr.writeEnd]) closeSync(descriptor)
    parts.group?.closeDescriptors()
  }
}

/** True while a process is the child of another: a number alone may have been given to somebody else. */
function isChild(pid: number, parent: number | undefined): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1').slice(0, CHILD_STAT_BYTES)
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent
  } catch {
    return false
  }
}

/** The output of a command without the sign that it begins with. */
function withoutSign(current: Current, chunk: Buffer): Buffer {
  if (current.sign !== 'awaited') return chunk
  current.sign = chunk[0] === TAKEN ? 'seen' : 'absent'
  return current.sign === 'seen' ? chunk.subarray(1) : chunk
}

function drained(stream: Socket): Promise<void> {
  if (stream.destroyed) return Promise.resolve()
  return new Promise((resolve) => stream.once('close', () => resolve()))
}
