import { randomUUID } from 'node:crypto'
import { block, isObject, verdictOf } from './answers.js'
import { createConversations, UNKNOWN_SESSION } from './conversation.js'
import { createReports } from './reports.js'
import { createTelling } from './telling.js'

const SHORT_MS = 10_000
const MAX_ID = 120

/**
 * The gate before each tool call. What it promises:
 *
 * 1. Every call ends in one of: exactly the arguments that were decided on, a block with a reason, or, in observe mode alone, letting go.
 * 2. Whatever goes wrong here or on the way (I6: an exception denies) is a block in enforce mode, and a loud line in the log otherwise.
 * 3. It enforces until the server has said that it only observes, unless the host's configuration says so.
 * 4. Each call has an id of its own that no other call ever has: hosts and models use theirs twice.
 */
export function createGate({ door, settings, log }) {
  const conversations = createConversations(settings.people)
  const instance = randomUUID().slice(0, 8)
  let mode = settings.mode
  let counted = 0

  const tell = (path, body) => door.send(path, body, { timeoutMs: SHORT_MS })
  const reports = createReports({ tell, log })
  const telling = createTelling({ tell, log })

  function closed(why) {
    if (mode === 'observe') {
      log.error(`[tidegate] OBSERVE MODE, CALL NOT SEEN BY TIDEGATE: ${why}`)
      return undefined
    }
    log.error(`[tidegate] call blocked: ${why}`)
    return block(
      `Tidegate could not be asked (${why}), so this call has not been made. Tell the person that Tidegate is not available. Do not look for another way to do it.`,
    )
  }

  async function decide(event, ctx) {
    const target = targetOf(event, settings.server)
    const toolCallId = event.toolCallId ?? ctx?.toolCallId
    const session = conversations.sessionOf(ctx, toolCallId)
    counted += 1
    const call = `${visible(toolCallId ?? 'call')}~${instance}${counted}`
    const person = conversations.personOf(ctx, session)
    const child = conversations.childOf(ctx)
    const request = {
      session,
      call,
      tool: target.tool,
      arguments: target.params,
      by: target.by,
      waitMs: settings.waitMs,
      ...(person === undefined ? {} : { person }),
      ...(child === undefined ? {} : { goal: `for the sub-agent ${child}`.slice(0, 1000) }),
    }
    let reply
    try {
      await telling.flush()
      const patience = { timeoutMs: settings.waitMs + settings.graceMs, signal: ctx?.abortSignal }
      reply = await door.send('/v1/host/calls', request, patience)
    } catch (error) {
      return closed(messageOf(error))
    }
    if (reply.status !== 200 || !isObject(reply.body)) return closed(refusalOf(reply))
    if (reply.body.mode === 'observe' || reply.body.mode === 'enforce') mode = reply.body.mode
    const verdict = verdictOf(reply.body, { tool: target.tool, params: event.params, by: target.by, mode })
    if (verdict === undefined) return closed('its answer is none that this plugin knows')
    if (verdict.letGo !== undefined) {
      log.error(`[tidegate] OBSERVE MODE, CALL LET GO: ${verdict.letGo}`)
      return undefined
    }
    if (verdict.params !== undefined && target.by === 'host') {
      reports.expect(toolCallId, { session, call, tool: event.toolName, params: verdict.params })
    }
    return verdict
  }

  return {
    conversations,
    reports,
    /** What `before_tool_call` returns. Never throws, and never resolves to nothing while the mode is `enforce`. */
    async beforeToolCall(event, ctx) {
      try {
        // In 2026.5.7 all plugins get the same object: one that adds an argument after us now fails, and its failure blocks the call.
        Object.freeze(event.params)
        return await decide(event, ctx)
      } catch (error) {
        return closed(`the plugin failed: ${messageOf(error)}`)
      }
    },
    /** What the agent was told. It is told on at once, and the next call waits until it is there. */
    heard(session, words, person) {
      if (words === undefined) return
      const root = session === undefined ? UNKNOWN_SESSION : conversations.rootOf(session)
      telling.push({ session: root, ...words, ...(person === undefined ? {} : { person }) })
    },
    /** Says that we are here, and learns the mode. */
    async hello(about) {
      try {
        const { status, body } = await tell('/v1/host/hello', { kind: 'openclaw', ...about })
        if (status !== 200) throw new Error(refusalOf({ status, body }))
        if (body?.mode !== 'observe' && body?.mode !== 'enforce') throw new Error('its answer names no mode')
        if (mode !== body.mode) log.info(`[tidegate] mode: ${body.mode}`)
        mode = body.mode
        return true
      } catch (error) {
        log.error(`[tidegate] the server does not answer (${mode} mode): ${messageOf(error)}`)
        return false
      }
    },
    mode: () => mode,
  }
}

/** Whether a call is to one of our own tools, and as what we are to be asked about it. */
function targetOf(event, server) {
  const params = isObject(event.params) ? event.params : {}
  const name = typeof event.toolName === 'string' && event.toolName !== '' ? event.toolName : 'unnamed'
  const prefix = [`${server}__`, `mcp:${server}:${server}__`].find((each) => name.startsWith(each))
  if (prefix === undefined) return { by: 'host', tool: name.slice(0, 200), params }
  // A ticket that the model brings along is none.
  const { _tidegate_ticket: _, ...rest } = params
  return { by: 'tidegate', tool: name.slice(prefix.length).slice(0, 200), params: rest }
}

function visible(id) {
  return String(id)
    .replace(/[^\x21-\x7e]/g, '_')
    .slice(0, MAX_ID)
}

function refusalOf({ status, body }) {
  const said = isObject(body) && typeof body.detail === 'string' ? `: ${body.detail.slice(0, 300)}` : ''
  return `its answer was ${status}${said}`
}

export function messageOf(error) {
  return error instanceof Error ? error.message : String(error)
}
