import { randomBytes } from 'node:crypto'
import { isObject, type Json, type JsonObject } from '@tidegate/kernel'
import { type Asked, awaitAnswer, type ToolCall, type Waiter } from './await-answer.ts'
import type { Exchange } from './exchange.ts'
import { digestOf, INSTRUCTIONS, type McpGround, type ParsedCall, parseCall, serverInfo } from './ground.ts'
import { canElicit, createBeat, progressTokenOf, waitForm } from './legacy.ts'
import type { Listeners } from './listeners.ts'
import { checkModern, type ModernMeta } from './modern-headers.ts'
import { complete, supportsTasks, TASKS_NEEDED } from './modern-result.ts'
import { META, OURS, REVISIONS, TASKS } from './revision.ts'
import { RPC, type RpcId, type RpcRequest, rpcError, rpcResult } from './rpc.ts'
import { answerTask, createTask } from './task.ts'
import { renderAnswer } from './tool-result.ts'

const DISCOVERY_TTL_MS = 3_600_000
const LIST_TTL_MS = 60_000
/** How long a client may take to come back with the answer to our question. */
const STATE_MS = 3_600_000
/** How often a client comes back without its person being asked again. Clients count as well, and end in an error after ten. */
const MAX_ROUNDS = 8
/** The one question that is put to clients: whether to go on waiting. */
const QUESTION = 'wait'

/** Answers one request of the stateless revision. All that is needed stands in the request itself. */
export async function answerModern(
  exchange: Exchange,
  request: RpcRequest,
  ground: McpGround,
  listeners: Listeners,
): Promise<void> {
  const checked = checkModern(exchange.request, request)
  if ('refused' in checked) {
    exchange.answer(400, checked.refused)
    return
  }
  const { id, method, params } = request
  const say = (result: object): void => exchange.answer(200, complete(id, result, ground))
  switch (method) {
    case 'server/discover':
      say({
        supportedVersions: REVISIONS,
        capabilities: { tools: { listChanged: true }, extensions: { [TASKS]: {} } },
        instructions: INSTRUCTIONS,
        ttlMs: DISCOVERY_TTL_MS,
        cacheScope: 'private',
      })
      return
    case 'tools/list': {
      const { cursor } = params
      const page = cursor === undefined || typeof cursor === 'string' ? ground.offerOf(exchange.host).page(cursor) : undefined
      if (page === undefined) {
        const why = 'This cursor is not good any more. List the tools from the beginning.'
        exchange.answer(200, rpcError(id, RPC.invalidParams, why))
      } else say({ ...page, ttlMs: LIST_TTL_MS, cacheScope: 'private' })
      return
    }
    case 'tools/call':
      exchange.answer(200, await callTool(exchange, request, checked, ground))
      return
    case 'subscriptions/listen':
      listen(exchange, request, checked, listeners)
      return
    case 'tasks/get':
    case 'tasks/update':
    case 'tasks/cancel':
      exchange.answer(...(await answerTask(exchange, request, checked, ground)))
      return
    default:
      exchange.answer(
        404,
        rpcError(id, RPC.unknownMethod, `There is no method ${method.slice(0, 80)} here: tools are all there is.`),
      )
  }
}

function listen(exchange: Exchange, { id, params }: RpcRequest, { capabilities }: ModernMeta, listeners: Listeners): void {
  const wanted = isObject(params.notifications) ? params.notifications : undefined
  if (wanted === undefined) {
    exchange.answer(400, rpcError(id, RPC.invalidParams, 'subscriptions/listen needs `notifications`.'))
    return
  }
  if (wanted.taskIds !== undefined && !supportsTasks(capabilities)) {
    exchange.answer(400, rpcError(id, RPC.missingCapability, 'Missing required client capability', TASKS_NEEDED))
    return
  }
  if (!listeners.listen(exchange, id, { tools: wanted.toolsListChanged === true }))
    exchange.answer(503, rpcError(id, RPC.internal, 'There are too many subscriptions. End some, and try again.'))
}

async function callTool(
  exchange: Exchange,
  { id, params }: RpcRequest,
  { meta, capabilities }: ModernMeta,
  ground: McpGround,
): Promise<object> {
  const { host } = exchange.host
  const parsed = parseCall(params, (name) => ground.operationOf(exchange.host, name))
  if ('code' in parsed) return rpcError(id, parsed.code, parsed.message)
  const goesOn = params.requestState === undefined ? undefined : openState(params.requestState, parsed, host, ground)
  if (params.requestState !== undefined && goesOn === undefined)
    return rpcError(id, RPC.invalidParams, 'This requestState is not good for this request. Call again without it.')
  const call: ToolCall = {
    host,
    session: goesOn?.session ?? sessionOf(meta, host),
    call: goesOn?.call ?? `mcp-${randomBytes(16).toString('base64url')}`,
    operation: parsed.operation,
    arguments: parsed.arguments,
    ...(parsed.ticket === undefined ? {} : { ticket: parsed.ticket }),
  }
  const elicits = canElicit(capabilities.elicitation)
  const tasks = supportsTasks(capabilities)
  const declined = goesOn !== undefined && !staysOf(goesOn, params.inputResponses)
  const quick = declined ? 0 : goesOn === undefined && (elicits || tasks) ? ground.waits.graceMs : undefined
  try {
    const answer = await awaitAnswer(ground.desk, call, waiterOf(exchange, meta, ground, quick))
    // Nobody reads what is said to a client that is gone.
    if (answer === 'gone') return rpcError(id, RPC.internal, 'Nobody waits for this any more.')
    if (answer.kind === 'pending' && !declined) {
      const rounds = goesOn === undefined ? 0 : goesOn.rounds + 1
      if (elicits && rounds <= MAX_ROUNDS) {
        const requestState = sealState(call, parsed, rounds, ground)
        return goesOn === undefined ? askToWait(id, answer, requestState, ground) : goOn(id, answer, requestState, ground)
      }
      const task = tasks ? createTask(call, answer, ground) : undefined
      if (task !== undefined) return rpcResult(id, task)
    }
    return complete(id, renderAnswer(answer), ground)
  } catch (error) {
    return rpcError(
      id,
      RPC.internal,
      `This is a defect, not your request. The log of the server has it as ${ground.defect(error)}.`,
    )
  }
}

/** `quickMs`: how long a client is kept waiting for people when it can be told of them in a better way. */
function waiterOf(exchange: Exchange, meta: JsonObject, { waits }: McpGround, quickMs: number | undefined): Waiter {
  const token = exchange.readsStreams ? progressTokenOf(meta) : undefined
  return {
    signal: exchange.signal,
    giveUp: exchange.giveUp,
    mostMs: waits.mostMs,
    askedMs: quickMs ?? (token === undefined ? waits.plainMs : waits.progressMs),
    beatMs: waits.beatMs,
    ...(token !== undefined
      ? { beat: createBeat(exchange, token) }
      : exchange.readsStreams
        ? { beat: () => void exchange.stream() }
        : {}),
  }
}

/** The conversation of a call: as the client names it, or one for all that this host does. */
function sessionOf(meta: JsonObject, host: string): string {
  const named = meta[OURS.session]
  return typeof named === 'string' && named !== '' ? `mcp-${host}-${digestOf(named)}` : `mcp-${host}`
}

function askToWait(id: RpcId, asked: Asked, requestState: string, ground: McpGround): object {
  const inputRequests = { [QUESTION]: { method: 'elicitation/create', params: { mode: 'form', ...waitForm(asked) } } }
  return rpcResult(id, { ...inputRequired(asked, requestState, ground), inputRequests })
}

/** Has the client come back by itself: its person has said already that it may take longer. */
function goOn(id: RpcId, asked: Asked, requestState: string, ground: McpGround): object {
  return rpcResult(id, inputRequired(asked, requestState, ground))
}

function inputRequired({ run, approval }: Asked, requestState: string, ground: McpGround): object {
  const _meta = { [OURS.run]: run, [OURS.approval]: approval, [META.server]: serverInfo(ground) }
  return { resultType: 'input_required', requestState, _meta }
}

/** True when the client's person wants to go on waiting, or wanted to before. It is no vote: nobody knows who clicked. */
function staysOf({ rounds }: GoesOn, responses: Json | undefined): boolean {
  const response = isObject(responses) ? responses[QUESTION] : undefined
  return isObject(response) ? response.action === 'accept' : rounds > 0
}

/** Binds a call that goes on to its host (by the seal), to exactly what it asked for, and to a time. */
function sealState(
  { host, session, call }: ToolCall,
  { digest }: ParsedCall,
  rounds: number,
  { seal, clock }: McpGround,
): string {
  return seal.seal('state', host, { c: call, s: session, d: digest, k: rounds, u: clock.nowMs() + STATE_MS })
}

/** A call that goes on. */
interface GoesOn {
  readonly call: string
  readonly session: string
  /** How often the client has come back since its person was asked. */
  readonly rounds: number
}

function openState(text: Json, { digest }: ParsedCall, host: string, { seal, clock }: McpGround): GoesOn | undefined {
  const state = typeof text === 'string' ? seal.open('state', host, text) : undefined
  if (!isObject(state)) return undefined
  const { c, s, d, k, u } = state
  if (typeof c !== 'string' || typeof s !== 'string' || typeof k !== 'number' || typeof u !== 'number') return undefined
  return d === digest && clock.nowMs() <= u ? { call: c, session: s, rounds: k } : undefined
}
