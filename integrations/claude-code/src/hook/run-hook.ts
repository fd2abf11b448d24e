import { type BatchEvent, type DoneEvent, type HookEvent, readEvent, type StartEvent, type ToolEvent } from './event.ts'
import { type Door, openDoor } from './door.ts'
import { type HookOptions, onlyObserves, readOptions } from './options.ts'
import { judge, type Verdict } from './verdict.ts'

/** The process that a hook runs in. */
export interface HookProcess {
  readonly stdin: AsyncIterable<Uint8Array>
  /** Resolves when all of it has been written. */
  readonly print: (text: string) => Promise<void>
  readonly complain: (text: string) => void
  readonly env: Readonly<Record<string, string | undefined>>
  /** How long one answer of the server is waited for, besides the wait for people; 8 s unless told. */
  readonly answerMs?: number
}

/** What a hook leaves behind: its exit code, and what it printed. Claude Code reads both. */
export interface HookEnd {
  readonly exit: 0 | 2
  readonly output: string
  readonly complaint: string
}

const MAX_INPUT_BYTES = 16 * 1_048_576
const INPUT_MS = 10_000
/** For one answer besides the wait for people. */
const ANSWER_MS = 8_000
const MAX_OUTPUT_BYTES = 262_144
/** More than this of a prompt is not told to the server. */
const MAX_HEARD = 100_000
const OWN_TOOLS = 'mcp__tidegate__'
const VERSION = '0.1.0'

/**
 * Answers one event of Claude Code. Never throws.
 *
 * 1. Exit code 0 stands for an answer only together with a whole document on stdout. Claude Code takes an exit code of 0 with anything
 *    else on stdout, and every other code but 2, for "no objection": `end` therefore answers 2 unless the document is complete.
 * 2. In enforce mode whatever goes wrong on the way of a call is a refusal (exit code 2, or a denial). In observe mode it is no objection.
 * 3. A permit is no objection, unless `--permit allow` was given: what the user's own settings would ask is still asked.
 */
export async function runHook(args: readonly string[], hook: Pick<HookProcess, 'stdin' | 'env' | 'answerMs'>): Promise<HookEnd> {
  const options = readOptions(args)
  const observes = options?.mode === 'observe' || (options === undefined && onlyObserves(args))
  try {
    const text = await readAll(hook.stdin)
    if (options === undefined)
      return failed('the arguments of the hook are not understood. Connect again: tidegate connect claude-code', observes)
    const event = readEvent(text)
    if (event.kind === 'unreadable') return failed(event.why, observes)
    return await answer(event, options, hook)
  } catch (error) {
    return failed(error instanceof HookError ? error.message : 'the hook failed. This is a defect of Tidegate', observes)
  }
}

/** Why a hook could not do its work, for people. */
class HookError extends Error {}

/** No objection in observe mode; otherwise the code by which Claude Code blocks whatever it was about to do. */
export function failed(why: string, observes: boolean): HookEnd {
  const complaint = `Tidegate: ${why}.\n`
  return observes ? { exit: 0, output: '{"suppressOutput":true}\n', complaint } : { exit: 2, output: '', complaint }
}

async function answer(
  event: HookEvent,
  options: HookOptions,
  { env, answerMs = ANSWER_MS }: Pick<HookProcess, 'env' | 'answerMs'>,
): Promise<HookEnd> {
  const door = openDoor(options.project, options.host, answerMs)
  switch (event.kind) {
    case 'PreToolUse':
      return document(outputOf(await decide(event, options, door)))
    case 'PostToolUse':
    case 'PostToolUseFailure':
      return report(event, door)
    case 'PostToolBatch':
      return settle(event, door)
    case 'UserPromptSubmit': {
      const reply = await door.post('/v1/host/heard', {
        session: event.session,
        text: event.text.slice(0, MAX_HEARD).toWellFormed(),
        from: 'user',
      })
      return document({ suppressOutput: true }, reply.ok ? '' : reply.why)
    }
    case 'SessionStart':
      return greet(event, options, door, env)
    case 'other':
      return document({ suppressOutput: true })
  }
}

async function decide(event: ToolEvent, options: HookOptions, door: Door): Promise<Verdict> {
  const own = event.tool.startsWith(OWN_TOOLS)
  // Without tickets our own tools decide when they are called, and the call would be decided twice.
  if (own && !options.tickets) return { kind: 'go' }
  const waitMs = options.mode === 'observe' ? 0 : options.waitMs
  const call = {
    session: event.session,
    call: event.call,
    tool: own ? event.tool.slice(OWN_TOOLS.length) : event.tool,
    arguments: event.input,
    by: own ? 'tidegate' : 'host',
    waitMs,
    ...(event.cwd === undefined ? {} : { cwd: event.cwd }),
  }
  return judge(await door.post('/v1/host/calls', call, waitMs), event, options)
}

function outputOf(verdict: Verdict): object {
  const named = { hookEventName: 'PreToolUse' }
  if (verdict.kind === 'no')
    return { hookSpecificOutput: { ...named, permissionDecision: 'deny', permissionDecisionReason: verdict.reason } }
  const input = verdict.input === undefined ? {} : { updatedInput: verdict.input }
  const decision =
    verdict.kind === 'allow' ? { permissionDecision: 'allow', permissionDecisionReason: 'Permitted by Tidegate.' } : {}
  return { hookSpecificOutput: { ...named, ...decision, ...input } }
}

/** What was done cannot be stopped any more: a report that does not arrive is said on stderr, and nothing else. */
async function report(event: DoneEvent, door: Door): Promise<HookEnd> {
  const { session, call, kind, error, durationMs } = event
  const ok = kind === 'PostToolUse'
  const reply = await door.post('/v1/host/reports', {
    session,
    call,
    ok,
    ...(event.output === undefined ? {} : cut(event.output)),
    ...(error === undefined ? {} : { error: error.slice(0, 4_000).toWellFormed() }),
    ...(durationMs === undefined ? {} : { durationMs }),
  })
  return document({ suppressOutput: true }, reply.ok ? '' : reply.why)
}

/**
 * Reports every call of a turn as not made. Those that were made have been reported before, and a second report changes nothing; what is
 * left was permitted by us and then refused by the user or by the rules of the host.
 */
async function settle({ session, calls }: BatchEvent, door: Door): Promise<HookEnd> {
  const error = 'Claude Code tells of no result: the user or its own rules have refused the call.'
  const replies = await Promise.all(calls.map((call) => door.post('/v1/host/reports', { session, call, ok: false, error })))
  const [failure] = replies.filter((reply) => !reply.ok)
  return document({ suppressOutput: true }, failure === undefined || failure.ok ? '' : failure.why)
}

/** An output as an object, which is what operations have, and not longer than anybody reads. */
function cut(output: unknown): object {
  const whole = typeof output === 'object' && output !== null && !Array.isArray(output) ? output : { content: output }
  const bytes = Buffer.from(JSON.stringify(whole))
  if (bytes.length <= MAX_OUTPUT_BYTES) return { output: whole }
  const content = bytes
    .subarray(0, MAX_OUTPUT_BYTES / 2)
    .toString('utf8')
    .toWellFormed()
  return { output: { content }, truncated: true }
}

async function greet(event: StartEvent, options: HookOptions, door: Door, env: HookProcess['env']): Promise<HookEnd> {
  const { digestOf } = await import('./digest-of.ts')
  const configDigest = digestOf(env, options.config)
  const reply = await door.post('/v1/host/hello', {
    kind: 'claude-code',
    hostVersion: versionOf(env),
    pluginVersion: VERSION,
    ...(configDigest === undefined ? {} : { configDigest }),
  })
  if (reply.ok) return document({ suppressOutput: true })
  const then = options.mode === 'enforce' ? 'Until it does, every tool call is refused.' : 'Until it does, nothing is recorded.'
  return document({ systemMessage: `Tidegate does not answer for session ${event.session}: ${reply.why}. ${then}` }, reply.why)
}

/** Claude Code names its version in the environment of its hooks: `claude-code_2-1-329_harness`. */
function versionOf(env: HookProcess['env']): string {
  const [, version] = /^claude-code_(\d+-\d+-\d+)/.exec(env.AI_AGENT ?? '') ?? []
  return version === undefined ? 'unknown' : version.replaceAll('-', '.')
}

function document(output: object, why = ''): HookEnd {
  return { exit: 0, output: `${JSON.stringify(output)}\n`, complaint: why === '' ? '' : `Tidegate: ${why}.\n` }
}

async function readAll(stdin: AsyncIterable<Uint8Array>): Promise<string> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new HookError(`Claude Code sent nothing for ${INPUT_MS / 1_000} s`)), INPUT_MS)
  const read = async (): Promise<string> => {
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of stdin) {
      size += chunk.length
      if (size > MAX_INPUT_BYTES) throw new HookError('the call is larger than 16 MiB')
      chunks.push(chunk)
    }
    return Buffer.concat(chunks).toString('utf8')
  }
  try {
    return await Promise.race([read(), late])
  } finally {
    clearTimeout(timer)
  }
}

/** Runs a hook in this process and answers its exit code, also when stdout is gone. What else may end it early is up to the caller. */
export async function mainHook(args: readonly string[], hook: HookProcess): Promise<0 | 2> {
  const { exit, output, complaint } = await runHook(args, hook)
  if (complaint !== '') hook.complain(complaint)
  if (output === '') return exit
  try {
    await hook.print(output)
    return exit
  } catch {
    hook.complain('Tidegate: the answer could not be written.\n')
    return onlyObserves(args) ? 0 : 2
  }
}
