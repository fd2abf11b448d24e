import { block } from './answers.js'
import { createDoor } from './door.js'
import { digestOfConfiguration } from './files.js'
import { createGate } from './gate.js'
import { HOOK_MS, readSettings } from './settings.js'
import { othersBeforeToolCall } from './surroundings.js'
import { wordsOfMessage, wordsOfPrompt, wordsOfWrittenMessage } from './words.js'

export const id = 'tidegate'
export const name = 'Tidegate'
export const version = '0.1.0'
export const description = 'Asks Tidegate before each tool call, and does what it answers.'

const HEARTBEAT_MS = 30_000
/** After one that was not answered: OpenClaw is busy while it starts, and the server may just be coming. */
const AGAIN_MS = 3_000
/** After everybody: nobody can register a lower number, so nobody changes a call after it was decided on. */
const LAST = { priority: Number.NEGATIVE_INFINITY }
/** The ways from an agent to the world that this plugin stands in. */
const SURFACES = ['hook:tool', 'hook:mcp', 'hook:sub-agent', 'hook:tools-invoke']
/** OpenClaw registers a plugin several times in one process; all of them are one gate with one memory. */
const SHARED = Symbol.for('tidegate.openclaw.gate')

/**
 * Registers the hooks. OpenClaw calls this more than once, and in other modes than `full` too: 2026.9.6 runs its agents on hooks that were
 * registered in the mode `discovery`, so that a plugin which only registers in `full` is silently passed by.
 *
 * It does not throw: a plugin that fails here is left out, and everything passes. What is wrong with the configuration blocks instead.
 */
export function register(api) {
  if (typeof api?.on !== 'function') return
  const log = loggerOf(api)
  const read = readSettings(api.pluginConfig)
  if (!read.ok) {
    log.error(`[tidegate] ${read.problem} Every call is blocked.`)
    api.on('before_tool_call', () => block(`${read.problem} No call is made until that is mended: tell the person.`), LAST)
    return
  }
  const { settings } = read
  const shared = shareGate(settings, log)
  const { gate } = shared
  const { conversations, reports } = gate
  const quiet = (work) => (event, ctx) => {
    try {
      work(event, ctx)
    } catch (error) {
      log.warn(`[tidegate] ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  const watch = (hook, work) => api.on(hook, quiet(work), LAST)

  api.on('before_tool_call', (event, ctx) => gate.beforeToolCall(event, ctx), { ...LAST, timeoutMs: HOOK_MS })
  watch('after_tool_call', (event, ctx) => reports.after({ ...event, toolCallId: event.toolCallId ?? ctx?.toolCallId }))
  watch('tool_result_persist', (event) => reports.persisted(event))
  watch('before_message_write', ({ message }, ctx) => {
    conversations.noteCalls(message, ctx?.sessionKey)
    gate.heard(ctx?.sessionKey, wordsOfWrittenMessage(message, ctx?.sessionKey))
  })
  watch('before_model_resolve', (event, ctx) => gate.heard(ctx?.sessionKey, wordsOfPrompt(event, ctx)))
  watch('message_received', (event, ctx) => {
    const session = ctx?.sessionKey ?? event?.sessionKey
    conversations.notePerson(session, ctx?.channelId, event?.senderId ?? ctx?.senderId)
    gate.heard(session, wordsOfMessage(event, ctx, settings.people), conversations.personOf(ctx, session))
  })
  watch('subagent_spawned', (event, ctx) => conversations.noteChild(event?.childSessionKey, ctx?.requesterSessionKey))
  watch('gateway_start', () => shared.beat(api))
  watch('gateway_stop', () => shared.stop())
  if (api.registrationMode === undefined || api.registrationMode === 'full') shared.beat(api)
}

/** The gate of this process for these settings. Other settings make a new one, and the old one falls silent. */
function shareGate(settings, log) {
  const key = JSON.stringify(settings)
  const known = globalThis[SHARED]
  if (known?.key === key && !known.stopped) return known
  known?.stop()
  const door = createDoor(settings)
  const gate = createGate({ door, settings, log })
  const made = { key, gate, stopped: false, beat, stop }
  let timer

  function beat(api) {
    if (timer !== undefined || made.stopped) return
    const hello = async () => {
      const others = othersBeforeToolCall(id)
      const answered = await gate.hello({
        ...(typeof api.runtime?.version === 'string' ? { hostVersion: api.runtime.version } : {}),
        pluginVersion: version,
        surfaces: SURFACES,
        ...digest(settings.configFile),
        ...(others === undefined ? {} : { others }),
      })
      if (made.stopped) return
      timer = setTimeout(hello, answered ? HEARTBEAT_MS : AGAIN_MS)
      timer.unref?.()
    }
    timer = setTimeout(hello, 0)
  }
  function stop() {
    made.stopped = true
    clearTimeout(timer)
    door.close()
  }

  globalThis[SHARED] = made
  return made
}

function digest(file) {
  const configDigest = digestOfConfiguration(file)
  return configDigest === undefined ? {} : { configDigest }
}

/** A logger that is always there, and never throws. */
function loggerOf(api) {
  const line = (level) => (message) => {
    try {
      api.logger?.[level]?.(message)
    } catch {
      // A log that fails must not decide whether a call is made.
    }
  }
  return { info: line('info'), warn: line('warn'), error: line('error') }
}
