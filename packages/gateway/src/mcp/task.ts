import { isObject, type Json } from '@tidegate/kernel'
import type { HostAnswer } from '@tidegate/runtime'
import { type Asked, awaitAnswer, type ToolCall } from './await-answer.ts'
import type { Exchange } from './exchange.ts'
import type { McpGround } from './ground.ts'
import { complete, supportsTasks, TASKS_NEEDED } from './modern-result.ts'
import type { ModernMeta } from './modern-headers.ts'
import { OURS } from './revision.ts'
import { RPC, type RpcRequest, rpcError } from './rpc.ts'
import { renderAnswer } from './tool-result.ts'

/** An id of a task travels in a header, so what is sealed in it must be small. */
const MAX_TASK_ID = 4_000
const POLL_MS = 2_000
/** So long is waited for a call that people have decided: it goes on only while somebody waits. */
const LOOK_MS = 2_000
/** How long a task is good for after people's time is up: what they decided last can still be fetched. */
const AFTER_MS = 3_600_000

/**
 * Makes a task of a call that waits for people (SEP-2663). Its id is the call, sealed for its host: nothing is remembered here, and it
 * is as durable as the run. Undefined when the arguments are too large for an id.
 */
export function createTask(call: ToolCall, asked: Asked, { seal, clock }: McpGround): object | undefined {
  const nowMs = clock.nowMs()
  const untilMs = asked.deadlineMs + AFTER_MS
  const { host, session, operation } = call
  const taskId = seal.seal('task', host, { c: call.call, s: session, o: operation, a: call.arguments, t: nowMs, u: untilMs })
  if (taskId.length > MAX_TASK_ID) return undefined
  return { resultType: 'task', ...working({ taskId, createdMs: nowMs, untilMs }, nowMs, asked) }
}

interface Task {
  readonly taskId: string
  readonly createdMs: number
  readonly untilMs: number
}

function headOf({ taskId, createdMs, untilMs }: Task, nowMs: number): object {
  return {
    taskId,
    createdAt: new Date(createdMs).toISOString(),
    lastUpdatedAt: new Date(nowMs).toISOString(),
    ttlMs: Math.max(0, untilMs - createdMs),
    pollIntervalMs: POLL_MS,
  }
}

function working(task: Task, nowMs: number, asked: Asked | undefined): object {
  const statusMessage =
    asked === undefined ? 'It is under way.' : `People are asked whether this may happen (#${asked.approval}).`
  const meta = asked === undefined ? {} : { _meta: { [OURS.run]: asked.run, [OURS.approval]: asked.approval } }
  return { ...headOf(task, nowMs), status: 'working', statusMessage, ...meta }
}

/**
 * Answers a request about a task. We never ask a client for input, so `tasks/update` has nothing to say; and a question to people is
 * not taken back because an agent does not wait any more, so neither does `tasks/cancel`.
 */
export async function answerTask(
  exchange: Exchange,
  { id, method, params }: RpcRequest,
  { capabilities }: ModernMeta,
  ground: McpGround,
): Promise<[status: number, body: object]> {
  if (!supportsTasks(capabilities))
    return [400, rpcError(id, RPC.missingCapability, 'Missing required client capability', TASKS_NEEDED)]
  const opened = openTask(params.taskId, exchange.host.host, ground)
  if (opened === undefined) return [200, rpcError(id, RPC.invalidParams, 'There is no such task.')]
  if (method !== 'tasks/get') return [200, complete(id, {}, ground)]
  const { task, call } = opened
  const nowMs = ground.clock.nowMs()
  try {
    const answer = await awaitAnswer(ground.desk, call, {
      signal: exchange.signal,
      giveUp: exchange.giveUp,
      mostMs: LOOK_MS,
      askedMs: 0,
      beatMs: LOOK_MS,
    })
    if (answer === 'gone') return [200, rpcError(id, RPC.internal, 'Nobody waits for this any more.')]
    if (isUnderWay(answer, nowMs < task.untilMs)) {
      const asked = answer.kind === 'pending' ? answer : undefined
      return [200, complete(id, working(task, nowMs, asked), ground)]
    }
    return [200, complete(id, { ...headOf(task, nowMs), status: 'completed', result: renderAnswer(answer) }, ground)]
  } catch (error) {
    const incident = ground.defect(error)
    return [200, rpcError(id, RPC.internal, `This is a defect, not your request. The log of the server has it as ${incident}.`)]
  }
}

/** An answer at once is `unknown` as long as the effect is under way; after its time it is what nobody will ever know. */
function isUnderWay(answer: HostAnswer, isEarly: boolean): boolean {
  return answer.kind === 'pending' || (answer.kind === 'unknown' && isEarly)
}

function openTask(
  text: Json | undefined,
  host: string,
  { seal }: McpGround,
): { readonly task: Task; readonly call: ToolCall } | undefined {
  const sealed = typeof text === 'string' ? seal.open('task', host, text) : undefined
  if (typeof text !== 'string' || !isObject(sealed)) return undefined
  const { c, s, o, a, t, u } = sealed
  if (typeof c !== 'string' || typeof s !== 'string' || typeof o !== 'string' || typeof t !== 'number' || typeof u !== 'number')
    return undefined
  const call = { host, session: s, call: c, operation: o, arguments: a ?? {} }
  return { task: { taskId: text, createdMs: t, untilMs: u }, call }
}
