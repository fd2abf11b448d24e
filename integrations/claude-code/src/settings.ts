import type { Json } from '@tidegate/kernel'
import { ConnectError, type ConnectRequest, nodeAt, type Path, parseRelaxed, plainOf, removeAt, setAt } from '@tidegate/connect'

/** The events that we hear of. Only the first can stop anything; `matcher` says which tools. */
const EVENTS = [
  { event: 'PreToolUse', matcher: '*', seconds: undefined },
  { event: 'PostToolUse', matcher: '*', seconds: 30 },
  { event: 'PostToolUseFailure', matcher: '*', seconds: 30 },
  { event: 'PostToolBatch', matcher: undefined, seconds: 30 },
  { event: 'UserPromptSubmit', matcher: undefined, seconds: 20 },
  { event: 'SessionStart', matcher: undefined, seconds: 20 },
] as const

/** So much longer than the wait for people does Claude Code wait for the hook: it answers before. */
const GRACE_SECONDS = 30
/** For how long a call waits for people unless the user said. */
export const DEFAULT_WAIT_SECONDS = 90

/** Events that older versions do not know; in their settings they would be a mistake. */
const NEW_EVENTS: ReadonlySet<string> = new Set(['PostToolBatch'])

/**
 * Adds our hook to the text of a settings file, and leaves everything else as it is. The same request twice gives the same text.
 * `recent`: the version is known to know all events.
 */
export function withHooks(text: string, request: ConnectRequest, options: { readonly recent: boolean }): string {
  const root = plainOf(parseRelaxed(text))
  if (typeof root !== 'object' || root === null || Array.isArray(root)) throw unsupported('the settings are not an object')
  let result = text
  for (const { event, matcher, seconds } of EVENTS) {
    if (NEW_EVENTS.has(event) && !options.recent) continue
    const groups = groupsOf(result, event)
    const wanted: Json = {
      ...(matcher === undefined ? {} : { matcher }),
      hooks: [handlerOf(request, event, seconds ?? (request.waitSeconds ?? DEFAULT_WAIT_SECONDS) + GRACE_SECONDS)],
    }
    const at = groups.findIndex((group) => isOnlyOurs(group))
    if (at >= 0 && JSON.stringify(groups[at]) === JSON.stringify(wanted)) continue
    result = at >= 0 ? setAt(result, ['hooks', event, at], wanted) : append(result, event, groups.length, wanted)
  }
  return result
}

/** Takes our hook out of the text of a settings file. Answers what was taken out, for people. */
export function withoutHooks(text: string): { readonly text: string; readonly removed: readonly string[] } {
  const removed: string[] = []
  let result = text
  const hooks = nodeAt(parseRelaxed(text), ['hooks'])
  for (const { key: event } of hooks?.kind === 'object' ? hooks.members : []) {
    const without = withoutEvent(result, event)
    if (without === result) continue
    removed.push(`the hook of ${event}`)
    result = isEmptyAt(without, ['hooks', event]) ? removeAt(without, ['hooks', event]) : without
  }
  return { text: removed.length > 0 && isEmptyAt(result, ['hooks']) ? removeAt(result, ['hooks']) : result, removed }
}

/** Takes our handlers out of the groups of one event, and the groups that have no other. */
function withoutEvent(text: string, event: string): string {
  const groups = nodeAt(parseRelaxed(text), ['hooks', event])
  let result = text
  for (let g = groups?.kind === 'array' ? groups.items.length - 1 : -1; g >= 0; g -= 1) {
    const handlers = nodeAt(parseRelaxed(result), ['hooks', event, g, 'hooks'])
    if (handlers?.kind !== 'array') continue
    const ours = handlers.items.flatMap((item, i) => (isOurs(plainOf(item)) ? [i] : []))
    if (ours.length === 0) continue
    result =
      ours.length === handlers.items.length
        ? removeAt(result, ['hooks', event, g])
        : ours.toReversed().reduce((rest, i) => removeAt(rest, ['hooks', event, g, 'hooks', i]), result)
  }
  return result
}

function isEmptyAt(text: string, path: Path): boolean {
  const node = nodeAt(parseRelaxed(text), path)
  return (node?.kind === 'array' && node.items.length === 0) || (node?.kind === 'object' && node.members.length === 0)
}

/** The mode of our hook of PreToolUse in a settings text; undefined when it is not there. */
export function modeOf(text: string): 'observe' | 'enforce' | undefined {
  const ours = groupsOf(text, 'PreToolUse')
    .flatMap((group) => handlersOf(group))
    .find((handler) => isOurs(handler))
  if (ours === undefined) return undefined
  return JSON.stringify(ours).includes('observe') ? 'observe' : 'enforce'
}

function append(text: string, event: string, length: number, group: Json): string {
  return length === 0 && nodeAt(parseRelaxed(text), ['hooks', event]) === undefined
    ? setAt(text, ['hooks', event], [group])
    : setAt(text, ['hooks', event, length], group)
}

function groupsOf(text: string, event: string): readonly Json[] {
  const root = parseRelaxed(text)
  const hooks = nodeAt(root, ['hooks'])
  if (hooks === undefined) return []
  if (hooks.kind !== 'object') throw unsupported('"hooks" is not an object')
  const groups = nodeAt(root, ['hooks', event])
  if (groups === undefined) return []
  const value = plainOf(groups)
  if (!Array.isArray(value)) throw unsupported(`"hooks.${event}" is not a list`)
  return value
}

function handlersOf(group: Json): readonly Json[] {
  if (typeof group !== 'object' || group === null || Array.isArray(group)) return []
  const { hooks } = group as { readonly [key: string]: Json }
  return Array.isArray(hooks) ? hooks : []
}

/** A group in which somebody put their own hook beside ours is theirs: ours gets another. */
function isOnlyOurs(group: Json): boolean {
  const handlers = handlersOf(group)
  return handlers.length > 0 && handlers.every((handler) => isOurs(handler))
}

function isOurs(handler: Json): boolean {
  if (typeof handler !== 'object' || handler === null || Array.isArray(handler)) return false
  const { command, args } = handler as { readonly [key: string]: Json }
  const words = [command, ...(Array.isArray(args) ? args : [])].filter((word) => typeof word === 'string').join(' ')
  return /tidegate/.test(words) && /(?:^|\s|')hook'?\s+'?claude-code\b/.test(words) && /--host\b/.test(words)
}

function handlerOf(request: ConnectRequest, event: string, timeout: number): Json {
  const { command, project, name, mode, permit, config, waitSeconds = DEFAULT_WAIT_SECONDS, tickets } = request
  const words = [
    ...command,
    'hook',
    'claude-code',
    ...['--project', project, '--host', name, '--mode', mode, '--wait', String(waitSeconds)],
    ...(permit === 'allow' ? ['--permit', 'allow'] : []),
    ...(tickets === true ? ['--tickets'] : []),
    ...(config === undefined ? [] : ['--config', config]),
  ]
  return {
    type: 'command',
    ...commandOf(words, request.environment.platform),
    timeout,
    // A hook that is killed, cannot start or takes too long is no consent.
    ...(mode === 'enforce' && event === 'PreToolUse' ? { onFailure: 'block' } : {}),
  }
}

/** Words as Claude Code starts them: through a POSIX shell, which every version does, or without one where there is no such shell. */
function commandOf(words: readonly string[], platform: string): { readonly [key: string]: Json } {
  const [program = '', ...args] = words
  if (platform === 'win32') return { command: program, args }
  return { command: `exec ${words.map(quoted).join(' ')}` }
}

function quoted(word: string): string {
  return /^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

function unsupported(what: string): ConnectError {
  return new ConnectError('configuration_unsupported', `Claude Code would not understand this: ${what}. Correct it first.`)
}
