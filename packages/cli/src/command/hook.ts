import { writeSync } from 'node:fs'
import { EXIT, type ExitCode } from '../exit-code.ts'

const AGAIN_MS = 1

/**
 * Answers one event of a host that was connected: reads it from stdin, writes the answer to stdout. Started by the host, for every call.
 *
 * A host takes an exit code that it does not know for consent. In enforce mode everything that could end this process early therefore
 * ends it with the code by which the host blocks: a signal, an error that nobody caught, a promise that nobody waits for.
 */
export async function hook([kind = '', ...args]: readonly string[]): Promise<ExitCode> {
  const observes = args[args.indexOf('--mode') + 1] === 'observe' && args.includes('--mode')
  const closed = observes ? EXIT.ok : EXIT.usage
  process.exitCode = closed
  const end = (): never => process.exit(closed)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end)
  process.on('uncaughtException', end)
  process.on('unhandledRejection', end)
  if (kind !== 'claude-code') {
    process.stderr.write('tidegate: The hosts with a hook are: claude-code.\n')
    return closed
  }
  const { mainHook } = await import('@tidegate/claude-code/hook')
  const exit = await mainHook(args, {
    // Not read past its stream: a read that waits in a thread would keep this process from ending.
    stdin: process.stdin,
    env: process.env,
    print: async (text) => writeOutput(new TextEncoder().encode(text)),
    complain: (text) => {
      process.stderr.write(text)
    },
  })
  // Whatever is still open (a connection, stdin) must not keep the host waiting.
  process.exit(exit)
}

/** All of it, or an error: a host that reads slowly is waited for. */
async function writeOutput(bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(1, bytes, written)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error
      await pause()
    }
  }
}

function pause(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  setTimeout(resolve, AGAIN_MS)
  return promise
}
