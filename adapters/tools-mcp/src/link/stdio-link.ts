import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { type JSONRPCMessage, parseJSONRPCMessage } from '@modelcontextprotocol/client'
import {
  END_MS,
  MAX_MESSAGE_BYTES,
  MAX_SKIPPED_BYTES,
  MAX_STDERR_CHARS,
  MAX_STRAY_LINES,
  MAX_UNASKED_PER_SECOND,
  MAX_UNWRITTEN_BYTES,
} from '../limits.ts'
import { Calls, type Reply, type ToolRequest } from './calls.ts'
import { createLineReader } from './lines.ts'
import { createFloodGauge, type Link, type LinkFault, LOST_ANSWER, Lost, NotSent, TooLarge } from './link.ts'

/** A program, ready to be started. `env` is all that it gets. */
export interface Program {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
}

/** How long what a program wrote before its end is still read. */
const LAST_WORDS_MS = 200

type Child = ChildProcessByStdio<Writable, Readable, Readable>

/**
 * Speaks to a program over its standard input and output.
 *
 * 1. It is started without a shell, in a process group of its own, with exactly the environment it is given.
 * 2. What it writes has limits: a message that is too large is skipped and costs the call it answers, a flood costs the connection.
 * 3. {@link send} answers when the message is in the pipe, and throws {@link NotSent} when it is certain that it is not.
 * 4. When it ends, or is closed, its whole process group is killed: nothing that it started outlives it.
 */
export class StdioLink implements Link {
  onclose?: (() => void) | undefined
  onerror?: ((error: Error) => void) | undefined
  onmessage?: ((message: JSONRPCMessage) => void) | undefined
  readonly #program: Program
  readonly #flooding: () => boolean
  readonly #calls = new Calls()
  #batch: { writes: number } | undefined
  #child: Child | undefined
  #fault: LinkFault | undefined
  #stderr = ''
  #strays = 0
  #skippedBytes = 0
  #closing = false
  #ended: Promise<void> = Promise.resolve()

  constructor(program: Program, monotonicMs: () => number) {
    this.#program = program
    this.#flooding = createFloodGauge(MAX_UNASKED_PER_SECOND, monotonicMs)
  }

  /** Null before the start and after the end. The protocol's client takes what has this and `stderr` for a program. */
  get pid(): number | null {
    return this.#child?.pid ?? null
  }

  get stderr(): null {
    return null
  }

  broken(): LinkFault | undefined {
    return this.#fault
  }

  lastWords(): string {
    return this.#stderr
  }

  async start(): Promise<void> {
    const { command, args, env, cwd } = this.#program
    const child = spawn(command, [...args], {
      env: { ...env },
      cwd,
      shell: false,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', (cause) => reject(new NotSent(`The program ${command} cannot be started.`, { cause, final: true })))
    })
    this.#child = child
    child.on('error', (error) => this.onerror?.(error))
    child.stdin.on('error', () => undefined) // told to whoever writes
    child.stdout.on('error', (error) => this.onerror?.(error))
    const read = createLineReader(MAX_MESSAGE_BYTES, {
      line: (text) => this.#take(text),
      skipped: (head, tail, bytes) => this.#skip(head, tail, bytes),
    })
    child.stdout.on('data', (chunk: Buffer) => {
      if (this.#fault === undefined) read(chunk)
    })
    child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.subarray(-MAX_STDERR_CHARS).toString('utf8')).slice(-MAX_STDERR_CHARS)
    })
    this.#ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        killGroup(child.pid, 'SIGKILL') // what it has left behind; the pipes of its children would stay open
        if (!this.#closing) this.#fault ??= { code: 'mcp_exited', message: `The server has ended (${signal ?? `code ${code}`}).` }
        child.stdin.destroy()
        // What it wrote before its end is still read, but not forever.
        const timer = setTimeout(() => {
          child.stdout.destroy()
          child.stderr.destroy()
        }, LAST_WORDS_MS)
        child.once('close', () => {
          clearTimeout(timer)
          this.#child = undefined
          this.#calls.loseAll()
          this.onclose?.()
          resolve()
        })
      })
    })
  }

  send(message: JSONRPCMessage): Promise<void> {
    return this.#write(JSON.stringify(message))
  }

  async call(request: ToolRequest): Promise<Reply> {
    const { id, text, reply } = this.#calls.open(request, (late) => this.#cancel(late, request))
    this.#write(text).catch((error: Error) => this.#calls.lose(id, error))
    return reply
  }

  /** Tells the server that nobody waits any more. Whether it listens is its business. */
  #cancel(requestId: number, { revision, meta }: ToolRequest): void {
    const params = { requestId, reason: 'Request timed out', ...(revision === undefined ? {} : { _meta: meta }) }
    this.#write(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params })).catch(() => undefined)
  }

  #write(text: string): Promise<void> {
    const stdin = this.#child?.stdin
    if (stdin === undefined || !stdin.writable || this.#fault !== undefined)
      return Promise.reject(new NotSent('The server is not running.'))
    if (stdin.writableLength > MAX_UNWRITTEN_BYTES)
      return Promise.reject(new NotSent('The server does not read what it is sent.'))
    const batch = this.#batchOf(stdin)
    return new Promise((resolve, reject) => {
      stdin.write(`${text}\n`, (error) => {
        if (!error) resolve()
        // Of several that left together nobody can tell which of them did.
        else reject(batch.writes > 1 ? new Lost('ended') : new NotSent('The server has stopped reading.', { cause: error }))
      })
    })
  }

  /** What is written in the same moment leaves together: to write to a pipe costs more than all else of a call. */
  #batchOf(stdin: Writable): { readonly writes: number } {
    if (this.#batch === undefined) {
      // What still waits to be read is written together with what comes now.
      this.#batch = { writes: stdin.writableLength > 0 ? 1 : 0 }
      stdin.cork()
      process.nextTick(() => {
        this.#batch = undefined
        stdin.uncork()
      })
    }
    this.#batch.writes += 1
    return this.#batch
  }

  /** Asks it to end, then makes it, and its children. Resolves when it is gone. */
  async close(): Promise<void> {
    this.#closing = true
    const child = this.#child
    if (child === undefined) return
    child.stdin.end()
    const terminate = setTimeout(() => killGroup(child.pid, 'SIGTERM'), END_MS.input)
    const kill = setTimeout(() => killGroup(child.pid, 'SIGKILL'), END_MS.terminate)
    await this.#ended
    clearTimeout(terminate)
    clearTimeout(kill)
  }

  #take(text: string): void {
    if (text.trim() === '') return
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      this.#stray()
      return
    }
    if (typeof value !== 'object' || value === null) {
      this.#stray()
      return
    }
    const isAnswer = 'id' in value && !('method' in value)
    if (!isAnswer && this.#flooding()) this.#break('mcp_flooding', 'The server sends more messages than anybody asked for.')
    else if (!this.#calls.take(value)) this.#pass(value)
  }

  /** Passes a message to the protocol's client. */
  #pass(value: object): void {
    let message: JSONRPCMessage
    try {
      message = parseJSONRPCMessage(value)
    } catch {
      this.#stray()
      return
    }
    this.onmessage?.(message)
  }

  #stray(): void {
    this.#strays += 1
    if (this.#strays > MAX_STRAY_LINES) this.#break('mcp_flooding', 'The server writes lines that are no messages.')
  }

  /** Finds out whose answer it was: the id stands at the beginning or at the end of what servers write. */
  #skip(head: string, tail: string, bytes: number): void {
    this.#skippedBytes += bytes
    const id =
      /^\s*\{\s*"jsonrpc"\s*:\s*"2\.0"\s*,\s*"id"\s*:\s*(\d{1,15})\s*,/.exec(head)?.[1] ??
      /"id"\s*:\s*(\d{1,15})\s*\}\s*$/.exec(tail)?.[1]
    if (id === undefined || this.#skippedBytes > MAX_SKIPPED_BYTES) {
      this.#break('mcp_too_large', `The server sent a message of ${bytes} bytes.`)
      return
    }
    if (this.#calls.lose(Number(id), new TooLarge())) return
    const error = { code: LOST_ANSWER.tooLarge, message: `The answer has ${bytes} bytes.` }
    this.onmessage?.({ jsonrpc: '2.0', id: Number(id), error })
  }

  #break(code: LinkFault['code'], message: string): void {
    this.#fault ??= { code, message }
    killGroup(this.#child?.pid, 'SIGKILL')
  }
}

/** The group is led by the child, so its id is that of the child. */
function killGroup(pid: number | undefined, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // Nobody is left in it.
  }
}
