/** What Claude Code tells a hook, as far as we use it. Everything else of the message is dropped. */
export type HookEvent = ToolEvent | DoneEvent | BatchEvent | PromptEvent | StartEvent | OtherEvent

interface Common {
  readonly session: string
  readonly cwd: string | undefined
}

/** A tool is about to be used. The sub-agents of a session are of the session: what they read comes back into it. */
export interface ToolEvent extends Common {
  readonly kind: 'PreToolUse'
  readonly call: string
  readonly tool: string
  readonly input: Readonly<Record<string, unknown>>
}

/** A tool was used, or failed. */
export interface DoneEvent extends Common {
  readonly kind: 'PostToolUse' | 'PostToolUseFailure'
  readonly call: string
  readonly output: unknown
  readonly error: string | undefined
  readonly durationMs: number | undefined
}

/** All calls of one turn are over, those that were refused too. */
export interface BatchEvent extends Common {
  readonly kind: 'PostToolBatch'
  readonly calls: readonly string[]
}

/** The person said something. */
export interface PromptEvent extends Common {
  readonly kind: 'UserPromptSubmit'
  readonly text: string
}

export interface StartEvent extends Common {
  readonly kind: 'SessionStart'
}

/** An event that we have nothing to say about, by the name that Claude Code gives it. */
export interface OtherEvent {
  readonly kind: 'other'
  readonly name: string
}

/** Why a message is not understood: for people, and without its content. */
export interface NotUnderstood {
  readonly kind: 'unreadable'
  readonly why: string
}

const ID = /^[\x21-\x7e]{1,200}$/
const MAX_DEPTH = 64
const MAX_CALLS = 100

/**
 * Understands the message of a hook. Never throws: what is not understood says why.
 *
 * Claude Code wrote it; the arguments in it were chosen by the model.
 */
export function readEvent(text: string): HookEvent | NotUnderstood {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { kind: 'unreadable', why: 'what Claude Code sent is not JSON' }
  }
  if (!isRecord(value)) return { kind: 'unreadable', why: 'what Claude Code sent is not an object' }
  const { hook_event_name: name, session_id: session, cwd } = value
  if (typeof name !== 'string') return { kind: 'unreadable', why: 'what Claude Code sent names no event' }
  if (!isOurs(name)) return { kind: 'other', name }
  if (typeof session !== 'string' || !ID.test(session)) return { kind: 'unreadable', why: 'Claude Code named no session' }
  const common: Common = { session, cwd: typeof cwd === 'string' ? cwd : undefined }
  switch (name) {
    case 'SessionStart':
      return { ...common, kind: name }
    case 'UserPromptSubmit':
      return { ...common, kind: name, text: typeof value.prompt === 'string' ? value.prompt : '' }
    case 'PreToolUse':
      return readTool(value, common)
    case 'PostToolBatch':
      return { ...common, kind: name, calls: callsOf(value.tool_calls) }
    default:
      return readDone(value, common, name)
  }
}

type Ours = Exclude<HookEvent['kind'], 'other'>

function isOurs(name: string): name is Ours {
  return ['PreToolUse', 'PostToolUse', 'PostToolUseFailure', 'PostToolBatch', 'UserPromptSubmit', 'SessionStart'].includes(name)
}

function readTool(value: Readonly<Record<string, unknown>>, common: Common): ToolEvent | NotUnderstood {
  const { tool_name: tool, tool_input: input, tool_use_id: call } = value
  if (typeof tool !== 'string' || !ID.test(tool)) return { kind: 'unreadable', why: 'Claude Code named no tool' }
  if (typeof call !== 'string' || !ID.test(call))
    return { kind: 'unreadable', why: 'Claude Code gave the call no id; a newer version does' }
  if (!isRecord(input)) return { kind: 'unreadable', why: 'the arguments are not an object' }
  if (isDeeper(input, MAX_DEPTH)) return { kind: 'unreadable', why: `the arguments are nested deeper than ${MAX_DEPTH}` }
  return { ...common, kind: 'PreToolUse', call, tool, input }
}

function readDone(
  value: Readonly<Record<string, unknown>>,
  common: Common,
  kind: 'PostToolUse' | 'PostToolUseFailure',
): DoneEvent | NotUnderstood {
  const { tool_use_id: call, tool_response: output, error, duration_ms: duration } = value
  if (typeof call !== 'string' || !ID.test(call))
    return { kind: 'unreadable', why: 'Claude Code gave the call no id; a newer version does' }
  return {
    ...common,
    kind,
    call,
    output,
    error: typeof error === 'string' ? error : undefined,
    durationMs: typeof duration === 'number' && duration >= 0 ? Math.round(duration) : undefined,
  }
}

function callsOf(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return []
  return value.slice(0, MAX_CALLS).flatMap((each) => {
    const id = isRecord(each) ? each.tool_use_id : undefined
    return typeof id === 'string' && ID.test(id) ? [id] : []
  })
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isDeeper(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return limit === 0 || Object.values(value).some((item) => isDeeper(item, limit - 1))
}
