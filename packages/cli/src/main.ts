import { EXIT, type ExitCode } from './exit-code.ts'

/** Two signals within this time are one: a shell and a parent both pass Ctrl-C on. */
const SAME_SIGNAL_MS = 1_000

/**
 * Runs one command line and answers its exit code. Ctrl-C aborts what waits; a second one ends the process at once.
 *
 * A hook is started for every call of a host, which waits for it: it goes its own way, past the parser.
 */
export async function main(args: readonly string[]): Promise<ExitCode> {
  if (args[0] === 'hook' && args[1] !== undefined && !args[1].startsWith('-'))
    return (await import('./command/hook.ts')).hook(args.slice(1))
  const { createProgram } = await import('./program.ts')
  const abort = new AbortController()
  let firstMs: number | undefined
  const onSignal = (): void => {
    if (firstMs !== undefined && performance.now() - firstMs > SAME_SIGNAL_MS) process.exit(EXIT.interrupted)
    firstMs ??= performance.now()
    abort.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
  const outcome: { exit: ExitCode } = { exit: EXIT.ok }
  const program = createProgram(abort.signal, (exit) => {
    outcome.exit = exit
  })
  try {
    await program.parseAsync([...args], { from: 'user' })
  } catch (error) {
    outcome.exit = await report(error, args)
  }
  return outcome.exit
}

async function report(error: unknown, args: readonly string[]): Promise<ExitCode> {
  const json = args.includes('--json')
  const usage = await usageOf(error)
  if (usage?.exit === EXIT.ok) return EXIT.ok
  const { failureOf, problemOf } = await import('./problem.ts')
  const failure =
    usage === undefined ? failureOf(error) : { problem: problemOf('usage_invalid', usage.message), exit: usage.exit }
  if (json) {
    const { inertJson } = await import('./terminal/inert.ts')
    process.stdout.write(`${inertJson(failure.problem)}\n`)
  } else if (usage === undefined) {
    const { inertText } = await import('./terminal/inert.ts')
    process.stderr.write(`tidegate: ${inertText(failure.problem.detail)}\n`)
  }
  return failure.exit
}

/** What commander threw: help that was shown, or a command line that is not understood. */
async function usageOf(error: unknown): Promise<{ readonly exit: ExitCode; readonly message: string } | undefined> {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string' || !error.code.startsWith('commander.'))
    return undefined
  const shown = ['commander.help', 'commander.helpDisplayed', 'commander.version'].includes(error.code)
  const { phraseUsage } = await import('./program.ts')
  return { exit: shown ? EXIT.ok : EXIT.usage, message: phraseUsage(error.message) }
}
