import { randomBytes } from 'node:crypto'
import { chmodSync, closeSync, constants, openSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { isChild, type Launcher } from './launcher.ts'
import { StreamGatherer, type Gathered } from './output.ts'
import { encodeNumber, GO, NONCE_LENGTH, STDIN_FILE, TAKEN } from './runner.ts'
import type { Berth } from './scaffold.ts'

/** What a cell is started with; the cell owns it from then on and gives it back through `released`. */
export interface CellParts {
  readonly launcher: Launcher
  /** The process that the launcher was asked for, on the pipes of this berth. */
  readonly launched: Promise<number | null>
  readonly berth: Berth
  /** Called once the process exists; the cell starts only when it resolves. Null when nothing has to be done. */
  readonly prepare: ((child: { readonly pid: number; release(): void }) => Promise<void>) | null
  /** Called once nothing of the cell is left; the cell has ended when it resolves. Not `clean`: somebody may still come to the berth. */
  readonly released: (end: { readonly clean: boolean }) => Promise<void>
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

/** One running sandbox with its resident shell; runs one command at a time. After a stop it is of no more use. */
export class Cell {
  readonly #parts: CellParts
  readonly #pipes: CellPipes
  readonly #frames: Socket
  readonly #nonces: Socket
  readonly #streams: readonly Socket[]
  readonly #status: Socket
  readonly ended: Promise<void>
  #current: Current | null = null
  #guard: number | null = null
  #childPid: number | null = null
  #over = false
  #gone = false
  #clean = true
  #sent = 0
  #because: StopReason = 'died'

  constructor(parts: CellParts) {
    this.#parts = parts
    this.#pipes = openPipes(parts.berth, parts.prepare !== null)
    const { frames, nonces, stdout, stderr, status } = this.#pipes
    this.#frames = new Socket({ fd: frames, readable: false, writable: true })
    this.#nonces = new Socket({ fd: nonces, readable: false, writable: true })
    for (const stream of [this.#frames, this.#nonces]) stream.on('error', () => this.kill('died'))
    this.#streams = [this.#listen(stdout, 'stdout'), this.#listen(stderr, 'stderr')]
    this.#status = this.#readStatus(status)
    parts.launcher.inUse += 1
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
    const input = join(this.#parts.berth.room, STDIN_FILE)
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
    if (this.#childPid !== null && this.#guard !== null && isChild(this.#childPid, this.#guard)) {
      process.kill(this.#childPid, 'SIGKILL')
      setTimeout(() => this.#killGuard(), GRACE_MS).unref()
    } else {
      this.#killGuard()
      setTimeout(() => this.#guard ?? this.#parts.launcher.abort(), GRACE_MS).unref()
    }
  }

  /** What it started dies with it. Before it is known, {@link #watch} does this. */
  #killGuard(): void {
    if (this.#guard === null || this.#gone) return
    this.#parts.launcher.kill(this.#guard)
    if (this.#childPid === null) this.#forsake()
  }

  /** Gives up on pipes that nobody may ever have opened on the far side, and so will never end. */
  #forsake(): void {
    this.#clean = false
    for (const stream of [this.#status, ...this.#streams]) stream.destroy()
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

  #listen(pipe: number, name: 'stdout' | 'stderr'): Socket {
    const stream = new Socket({ fd: pipe, readable: true, writable: false })
    stream.on('error', () => this.kill('died'))
    stream.on('data', (chunk: Buffer) => {
      const current = this.#current
      // Between two commands nothing is alive that could write.
      if (current === null) return this.kill('died')
      current[name].push(name === 'stdout' ? this.#withoutSign(current, chunk) : chunk)
      if (current.stdout.code !== null && current.stderr.code !== null) current.finish()
    })
    return stream
  }

  /** The output of a command without the sign that it begins with. The sign lets the runner start the next shell, in its time (W7). */
  #withoutSign(current: Current, chunk: Buffer): Buffer {
    if (current.sign !== 'awaited') return chunk
    current.sign = chunk[0] === TAKEN ? 'seen' : 'absent'
    if (current.sign === 'absent') return chunk
    if (!this.#over) this.#nonces.write(GO)
    return chunk.subarray(1)
  }

  #readStatus(pipe: number): Socket {
    const status = new Socket({ fd: pipe, readable: true, writable: false })
    let text = ''
    status.on('error', () => {})
    status.on('data', (chunk: Buffer) => {
      if (this.#childPid !== null) return
      text += chunk.toString('latin1')
      const match = /"child-pid": ?(\d{1,10})/.exec(text)
      if (match === null) return
      this.#childPid = Number(match[1])
      this.#parts.prepare?.({ pid: this.#childPid, release: () => closeOnce(this.#pipes) }).catch(() => this.kill('died'))
    })
    return status
  }

  /**
   * Resolves when the guard is gone, which closes its end of the status and comes after it has reaped process 1, which the kernel lets end
   * only after everything else inside.
   */
  async #watch(): Promise<void> {
    this.#guard = await this.#parts.launched
    if (this.#guard === null) this.#forsake()
    else if (this.#over) this.#killGuard()
    await drained(this.#status)
    this.#over = true
    await Promise.all(this.#streams.map(drained))
    // What was written and not read goes only when nobody has the pipe open any more.
    await Promise.all([this.#frames.destroy(), this.#nonces.destroy()].map(drained))
    closeOnce(this.#pipes)
    this.#gone = true
    this.#parts.launcher.inUse -= 1
    this.#current?.finish()
    await this.#parts.released({ clean: this.#clean })
  }
}

/** Our ends of the pipes of a berth. `block` is null when there is none, or when it has been closed. */
interface CellPipes {
  readonly frames: number
  readonly nonces: number
  readonly stdout: number
  readonly stderr: number
  readonly status: number
  block: number | null
}

/**
 * Opens our ends: reading ends that do not wait for a writer, and writing ends that read, too, so that they do not
 * wait for a reader. All of them are closed when one program replaces another.
 */
function openPipes(berth: Berth, blocks: boolean): CellPipes {
  const opened: number[] = []
  const open = (name: Parameters<Berth['pipe']>[0], flags: number): number => {
    const descriptor = openSync(berth.pipe(name), flags | constants.O_NONBLOCK)
    opened.push(descriptor)
    return descriptor
  }
  try {
    return {
      stdout: open('stdout', constants.O_RDONLY),
      stderr: open('stderr', constants.O_RDONLY),
      frames: open('frames', constants.O_RDWR),
      nonces: open('nonces', constants.O_RDWR),
      block: blocks ? open('block', constants.O_RDWR) : null,
      // The far side waits for this one first, and finds the others when it has it.
      status: open('status', constants.O_RDONLY),
    }
  } catch (cause) {
    for (const descriptor of opened) closeSync(descriptor)
    throw cause
  }
}

/** Lets what waits for the end of `block` go on. */
function closeOnce(pipes: CellPipes): void {
  if (pipes.block !== null) closeSync(pipes.block)
  pipes.block = null
}

function drained(stream: Socket): Promise<void> {
  if (stream.closed) return Promise.resolve()
  return new Promise((resolve) => stream.once('close', () => resolve()))
}
