import { isObject, type Json } from '@tidegate/kernel'
import { type Asked, awaitAnswer, type Confirmation, type Waiter } from './await-answer.ts'
import type { Exchange } from './exchange.ts'
import { digestOf, INSTRUCTIONS, type McpGround, parseCall, serverInfo } from './ground.ts'
import { isLegacy, LEGACY_REVISIONS } from './revision.ts'
import {
  keyOf,
  parseMessage,
  RPC,
  type RpcId,
  type RpcMessage,
  type RpcNotification,
  type RpcRequest,
  rpcError,
  rpcNotification,
  rpcResult,
} from './rpc.ts'
import type { McpSession } from './sessions.ts'
import { renderAnswer } from './tool-result.ts'

const MAX_BATCH = 32
const MAX_IN_FLIGHT = 64
const MAX_ID_IN_CALL = 64

/** Opens a session: the first request of a client of a revision before 2026-07-28. */
export function initialize(exchange: Exchange, { id, params }: RpcRequest, ground: McpGround): void {
  const { protocolVersion, capabilities } = params
  if (typeof protocolVersion !== 'string' || !isObject(capabilities)) {
    exchange.answer(400, rpcError(id, RPC.invalidParams, 'initialize needs a protocolVersion and capabilities.'))
    return
  }
  const revision = isLegacy(protocolVersion) ? protocolVersion : LEGACY_REVISIONS[0]
  const session = ground.sessions.open(exchange.host.host, revision, canElicit(capabilities.elicitation))
  if (session === undefined) {
    exchange.answer(503, rpcError(id, RPC.internal, 'There are too many sessions. End some, and try again.'))
    return
  }
  exchange.setHeader('mcp-session-id', session.id)
  exchange.answer(
    200,
    rpcResult(id, {
      protocolVersion: revision,
      capabilities: { tools: { listChanged: true } },
      serverInfo: serverInfo(ground),
      instructions: INSTRUCTIONS,
    }),
  )
}

/** True when a client can show its person a form: an empty capability means that it can (2025-11-25, section "Elicitation"). */
export function canElicit(capability: Json | undefined): boolean {
  return isObject(capability) && (isObject(capability.form) || capability.url === undefined)
}

/** Answers what a client with a session sends: one message, or several where its revision has batches. */
export async function answerLegacy(exchange: Exchange, body: Json, session: McpSession, ground: McpGround): Promise<void> {
  if (Array.isArray(body)) {
    await answerBatch(exchange, body as readonly Json[], session, ground)
    return
  }
  const message = parseMessage(body)
  if (message.kind === 'request') {
    const response = await answerRequest(exchange, message, session, ground, { alone: true })
    if (response === undefined) exchange.answer(202)
    else exchange.answer(200, response)
    return
  }
  const refused = take(message, session)
  if (refused === undefined) exchange.answer(202)
  else exchange.answer(400, refused)
}

/** Batches are a thing of 2025-03-26. Nothing in one is streamed, since several requests would share the stream. */
async function answerBatch(exchange: Exchange, batch: readonly Json[], session: McpSession, ground: McpGround): Promise<void> {
  const fits = session.revision === '2025-03-26' && batch.length > 0 && batch.length <= MAX_BATCH
  const messages = batch.slice(0, MAX_BATCH).map(parseMessage)
  if (
    !fits ||
    messages.some(({ kind, ...message }) => kind === 'request' && 'method' in message && message.method === 'initialize')
  ) {
    const why = `Only revision 2025-03-26 has batches, of 1 to ${MAX_BATCH} messages, without initialize.`
    exchange.answer(400, rpcError(null, RPC.invalidRequest, why))
    return
  }
  const responses = await Promise.all(
    messages.map((message) =>
      message.kind === 'request' ? answerRequest(exchange, message, session, ground, { alone: false }) : take(message, session),
    ),
  )
  const said = responses.filter((response) => response !== undefined)
  if (said.length === 0) exchange.answer(202)
  else exchange.answer(200, said)
}

/** Takes a message that wants no answer; answers only what is wrong with it. */
function take(message: Exclude<RpcMessage, RpcRequest>, session: McpSession): object | undefined {
  if (message.kind === 'invalid') return rpcError(message.id, RPC.invalidRequest, message.why)
  if (message.kind === 'notification') hear(message, session)
  else session.questions.get(keyOf(message.id))?.(message)
  return undefined
}

function hear({ method, params }: RpcNotification, session: McpSession): void {
  const { requestId } = params
  if (method === 'notifications/cancelled' && (typeof requestId === 'string' || typeof requestId === 'number'))
    session.inFlight.get(keyOf(requestId))?.()
}

/** The response to a request; undefined when its client does not want one any more. */
async function answerRequest(
  exchange: Exchange,
  request: RpcRequest,
  session: McpSession,
  ground: McpGround,
  options: { readonly alone: boolean },
): Promise<object | undefined> {
  const { id, method, params } = request
  switch (method) {
    case 'tools/call':
      return callTool(exchange, request, session, ground, options)
    case 'tools/list': {
      const { cursor } = params
      const offer = ground.offerOf(exchange.host)
      const page = cursor === undefined || typeof cursor === 'string' ? offer.page(cursor) : undefined
      return page === undefined
        ? rpcError(id, RPC.invalidParams, 'This cursor is not good any more. List the tools from the beginning.')
        : rpcResult(id, page)
    }
    case 'ping':
    // We write no log to clients; a client that sets a level is not refused for it.
    case 'logging/setLevel':
      return rpcResult(id, {})
    case 'initialize':
      return rpcError(id, RPC.invalidRequest, 'This session is open already. Open another one without a session id.')
    default:
      return rpcError(id, RPC.unknownMethod, `There is no method ${method.slice(0, 80)} here: tools are all there is.`)
  }
}

async function callTool(
  exchange: Exchange,
  { id, params }: RpcRequest,
  session: McpSession,
  ground: McpGround,
  { alone }: { readonly alone: boolean },
): Promise<object | undefined> {
  const parsed = parseCall(params, (name) => ground.operationOf(exchange.host, name))
  if ('code' in parsed) return rpcError(id, parsed.code, parsed.message)
  const key = keyOf(id)
  if (session.inFlight.has(key)) return rpcError(id, RPC.invalidRequest, 'A request with this id is under way.')
  if (session.inFlight.size >= MAX_IN_FLIGHT)
    return rpcError(id, RPC.internal, `A session may have ${MAX_IN_FLIGHT} calls under way. Wait for one.`)
  const { signal, giveUp } = alone ? exchange : severed(exchange)
  session.inFlight.set(key, giveUp)
  try {
    const answer = await awaitAnswer(
      ground.desk,
      {
        host: session.host,
        session: session.key,
        call: `${session.key}:${shortId(id)}:${parsed.digest}`,
        operation: parsed.operation,
        arguments: parsed.arguments,
        ...(parsed.ticket === undefined ? {} : { ticket: parsed.ticket }),
      },
      { signal, giveUp, ...patienceOf(exchange, { id, progressToken: progressTokenOf(params._meta) }, session, ground, alone) },
    )
    return answer === 'gone' ? undefined : rpcResult(id, renderAnswer(answer))
  } catch (error) {
    return rpcError(
      id,
      RPC.internal,
      `This is a defect, not your request. The log of the server has it as ${ground.defect(error)}.`,
    )
  } finally {
    session.inFlight.delete(key)
  }
}

/** A call in a batch can be given up without the others. */
function severed({ signal }: Exchange): Pick<Exchange, 'signal' | 'giveUp'> {
  const own = new AbortController()
  return { signal: AbortSignal.any([signal, own.signal]), giveUp: () => own.abort() }
}

/** An id as part of the name of a call: itself, where it is short and plain. */
function shortId(id: RpcId): string {
  return typeof id === 'number' || (/^[\x21-\x7e]+$/.test(id) && id.length <= MAX_ID_IN_CALL) ? String(id) : digestOf(id)
}

/** The token under which a client wants to hear about progress; undefined when it does not. */
export function progressTokenOf(meta: Json | undefined): RpcId | undefined {
  const token = isObject(meta) ? meta.progressToken : undefined
  return typeof token === 'string' || typeof token === 'number' ? token : undefined
}

/** Says on the stream of a call that it goes on; the numbers only ever rise. */
export function createBeat(exchange: Exchange, token: RpcId): (asked: Asked | undefined) => void {
  let progress = 0
  return (asked) => {
    progress += 1
    const message = asked === undefined ? 'Still under way.' : `People are asked (#${asked.approval}).`
    exchange.stream().send(rpcNotification('notifications/progress', { progressToken: token, progress, message }))
  }
}

function patienceOf(
  exchange: Exchange,
  { id, progressToken }: { readonly id: RpcId; readonly progressToken: RpcId | undefined },
  session: McpSession,
  { waits }: McpGround,
  alone: boolean,
): Omit<Waiter, 'signal' | 'giveUp'> {
  const streams = alone && exchange.readsStreams
  const told = streams && progressToken !== undefined
  return {
    mostMs: waits.mostMs,
    askedMs: told ? waits.progressMs : waits.plainMs,
    beatMs: waits.beatMs,
    ...(told ? { beat: createBeat(exchange, progressToken) } : streams ? { beat: () => void exchange.stream() } : {}),
    ...(streams && session.elicits ? { confirm: createConfirmation(exchange, id, session) } : {}),
  }
}

/**
 * Asks the client's person whether to go on waiting, on the stream of the call. The answer only says how long this client waits: what
 * it says is not a vote, since nobody knows who clicked.
 */
function createConfirmation(exchange: Exchange, id: RpcId, { questions }: McpSession): Confirmation {
  const question = `tidegate-${keyOf(id)}`
  const key = keyOf(question)
  return {
    ask(asked) {
      const { promise, resolve } = Promise.withResolvers<boolean>()
      questions.set(key, ({ result }) => {
        questions.delete(key)
        resolve(result?.action === 'accept')
      })
      exchange.stream().send({ jsonrpc: '2.0', id: question, method: 'elicitation/create', params: waitForm(asked) })
      return promise
    },
    drop() {
      if (!questions.delete(key) || exchange.gone) return
      const params = { requestId: question, reason: 'Nobody waits for this any more.' }
      exchange.stream().send(rpcNotification('notifications/cancelled', params))
    },
  }
}

/** The form in which a client is asked whether to go on waiting: nothing to fill in. */
export function waitForm({ approval }: Asked): { readonly message: string; readonly requestedSchema: object } {
  const message = `People are asked whether this may happen (#${approval}). Accept to keep waiting for them, decline to be told later. Your answer does not count as an approval.`
  return { message, requestedSchema: { type: 'object', properties: {} } }
}
