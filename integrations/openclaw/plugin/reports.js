import { isObject } from './answers.js'

const KEPT = 2000
/** How much of an output is told. */
const MAX_OUTPUT_CHARACTERS = 200_000
/** OpenClaw tells about most results twice, and about some only once: so long is waited for the fuller word. */
const SETTLE_MS = 250

/**
 * Tells the server what became of the calls that the host makes itself. Fire and forget: a report that is lost leaves the call without
 * an outcome, which the server shows.
 */
export function createReports({ tell, log }) {
  const expected = new Map()

  function send({ session, call }, outcome) {
    tell('/v1/host/reports', { session, call, ...outcome }).catch((error) =>
      log.warn(`[tidegate] a result could not be told: ${error instanceof Error ? error.message : String(error)}`),
    )
  }

  return {
    /** A call that was permitted, with the arguments that were decided on. */
    expect(toolCallId, call) {
      if (typeof toolCallId !== 'string') return
      expected.delete(toolCallId)
      expected.set(toolCallId, call)
      if (expected.size > KEPT) expected.delete(expected.keys().next().value)
    },
    /** `after_tool_call`: with the arguments that really ran. */
    after({ toolCallId, toolName, params, result, error, durationMs }) {
      const call = take(expected, toolCallId, toolName)
      if (call === undefined) return
      const drift = driftOf(call.params, params)
      if (drift !== undefined) {
        log.error(`[tidegate] ${toolName} RAN WITH OTHER ARGUMENTS THAN DECIDED (${drift}): another plugin has changed them`)
        send(call, {
          ok: false,
          error: `It ran with other arguments than were decided on: ${drift}. Another plugin has changed them.`,
        })
        return
      }
      const failed = typeof error === 'string'
      send(call, {
        ok: !failed,
        ...(failed ? { error: error.slice(0, 4000) } : cut(result)),
        ...(Number.isFinite(durationMs) ? { durationMs: Math.max(0, Math.round(durationMs)) } : {}),
      })
    },
    /** `tool_result_persist`: comes for calls for which the other does not. */
    persisted({ toolCallId, toolName, message }) {
      if (!expected.has(toolCallId)) return
      const timer = setTimeout(() => {
        const call = take(expected, toolCallId, toolName)
        if (call === undefined) return
        if (message?.isError === true) send(call, { ok: false, error: textOf(message).slice(0, 4000) })
        else send(call, { ok: true, ...cut({ content: message?.content }) })
      }, SETTLE_MS)
      timer.unref?.()
    },
  }
}

function take(expected, toolCallId, toolName) {
  const call = expected.get(toolCallId)
  if (call === undefined || (toolName !== undefined && call.tool !== toolName)) return undefined
  expected.delete(toolCallId)
  return call
}

/** Which arguments are not the decided ones; undefined when all are. */
function driftOf(decided, ran) {
  if (!isObject(ran)) return undefined
  const names = new Set([...Object.keys(decided), ...Object.keys(ran)])
  const other = [...names].filter((name) => textOfValue(decided[name]) !== textOfValue(ran[name]))
  return other.length === 0 ? undefined : other.slice(0, 20).join(', ')
}

/** The value with the keys of objects in order, so that two that say the same look the same. */
function textOfValue(value) {
  return JSON.stringify(value, (_, member) =>
    isObject(member) ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))) : member,
  )
}

function cut(result) {
  let text
  try {
    text = JSON.stringify(result ?? null)
  } catch {
    return { output: {}, truncated: true } // a result that is no plain data
  }
  if (text.length > MAX_OUTPUT_CHARACTERS) return { output: { text: text.slice(0, MAX_OUTPUT_CHARACTERS) }, truncated: true }
  const output = JSON.parse(text)
  return { output: isObject(output) ? output : { value: output } }
}

function textOf(message) {
  const parts = Array.isArray(message?.content) ? message.content : []
  return parts.map((part) => (typeof part?.text === 'string' ? part.text : '')).join('\n') || 'it failed'
}
