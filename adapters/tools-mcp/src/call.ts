import { type CallToolResult, ProtocolError, SdkError, SdkErrorCode } from '@modelcontextprotocol/client'
import type { ConnectorCall, ConnectorFailure, Json, JsonObject } from '@tidegate/kernel'
import { describeLine } from './describe.ts'
import { LOST_ANSWER, Lost, NotSent, RefusedByStatus, TooLarge } from './link/link.ts'
import type { Session } from './open-session.ts'
import type { Offered } from './make-operation.ts'
import type { Answer } from './output.ts'
import { readResult } from './result.ts'
import type { McpPorts } from './server.ts'

/** What became of one request, before anybody looks at what was answered. */
export type Called = { readonly kind: 'answered'; readonly answer: Answer } | ConnectorFailure

/** By this name the server is told which effect a call is for: the same for each attempt. */
const EFFECT_KEY = 'dev.tidegate/effect'

interface Sending {
  readonly timeoutMs: number
  readonly progress: McpPorts['progress']
}

type Callable = Pick<Offered, 'toolName' | 'input' | 'isMirrored'>

/**
 * Sends one call, once, and waits for its answer.
 *
 * A call that certainly did not leave is `safe`; of one that left and has no answer it is `unknown` whether it had an effect (I4). A server
 * that asks for input in return is told no: a person is asked by us before a call, never by a server during it.
 */
export async function callTool(
  session: Session,
  item: Callable,
  call: Pick<ConnectorCall, 'arguments' | 'effectId'>,
  sending: Sending,
): Promise<Called> {
  const { envelope, link } = session
  try {
    if (item.isMirrored && envelope !== undefined) return await callMirrored(session, item, call, sending)
    const { progress, timeoutMs } = sending
    const reply = await link.call({
      name: item.toolName,
      // Sound: admitted arguments have passed the input shape of this operation, which is an object of plain data.
      arguments: call.arguments as JsonObject,
      meta: { ...envelope?.meta, [EFFECT_KEY]: call.effectId },
      revision: envelope?.revision,
      timeoutMs,
      ...(progress === undefined ? {} : { progress: (told) => progress(call.effectId, told) }),
    })
    if (reply.kind === 'error') return failureOfProtocol(reply)
    const result = readResult(reply.result, { isModern: envelope !== undefined })
    if (result === undefined) return invalidAnswer()
    if (result.kind === 'input_required') return wantsInput()
    return result.isError ? toolError(result.answer.content) : { kind: 'answered', answer: result.answer }
  } catch (error) {
    return failureOf(error, link.broken())
  }
}

/** A call some of whose arguments are repeated in headers goes through the protocol's client, which knows how. */
async function callMirrored(
  { client }: Session,
  { toolName, input }: Callable,
  call: Pick<ConnectorCall, 'arguments' | 'effectId'>,
  { timeoutMs, progress }: Sending,
): Promise<Called> {
  const result: CallToolResult = await client.callTool(
    // Sound: as above.
    { name: toolName, arguments: call.arguments as Record<string, Json>, _meta: { [EFFECT_KEY]: call.effectId } },
    {
      timeout: timeoutMs,
      allowInputRequired: true,
      // With the definition at hand the protocol's client neither lists tools nor sends a call again by itself.
      toolDefinition: { name: toolName, inputSchema: { ...input, type: 'object' } },
      ...(progress === undefined
        ? {}
        : {
            onprogress: ({ progress: done, total }) =>
              progress(call.effectId, { progress: done, ...(total === undefined ? {} : { total }) }),
          }),
    },
  )
  return read(result)
}

function read(result: { readonly [key: string]: unknown }): Called {
  if (result.resultType === 'input_required') return wantsInput()
  const content: readonly unknown[] = Array.isArray(result.content) ? result.content : []
  return result.isError === true
    ? toolError(content)
    : { kind: 'answered', answer: { content, structured: result.structuredContent } }
}

function toolError(content: readonly unknown[]): ConnectorFailure {
  return fail('semantic', 'never', `The tool has failed: ${textOf(content) || 'it does not say why.'}`, 'mcp_tool_error')
}

function invalidAnswer(): ConnectorFailure {
  return fail('invalid_output', 'unknown', 'The answer is none that the protocol knows.', 'mcp_invalid_answer')
}

function wantsInput(): ConnectorFailure {
  return fail('refused', 'never', 'The tool asks for input in return, which nobody gives it here.', 'mcp_input_required')
}

/** The beginning of what a server says, as one line that can be shown. */
function textOf(content: readonly unknown[]): string {
  const texts = content.flatMap((part) =>
    typeof part === 'object' && part !== null && 'text' in part && typeof part.text === 'string'
      ? [part.text.slice(0, 1_000)]
      : [],
  )
  return describeLine(texts.join(' ').slice(0, 1_000), 300).text
}

type Fault = { readonly code: string; readonly message: string } | undefined

/** What an error means. Only what certainly did not leave may be sent again. */
export function failureOf(error: unknown, fault: Fault): ConnectorFailure {
  if (error instanceof NotSent) return fail('unavailable', 'safe', error.message, 'mcp_not_sent')
  if (error instanceof RefusedByStatus) return failureOfStatus(error)
  if (error instanceof TooLarge) return fail('invalid_output', 'unknown', error.message, 'mcp_too_large')
  if (error instanceof Lost && error.why === 'timeout')
    return fail('timeout', 'unknown', 'No answer came in time.', 'mcp_timeout')
  if (error instanceof Lost && error.why === 'invalid') return invalidAnswer()
  if (error instanceof Lost) return broken(fault)
  if (error instanceof ProtocolError) return failureOfProtocol(error)
  if (error instanceof SdkError) {
    switch (error.code) {
      case SdkErrorCode.RequestTimeout:
        return fail('timeout', 'unknown', 'No answer came in time.', 'mcp_timeout')
      case SdkErrorCode.NotConnected:
        return fail('unavailable', 'safe', 'The connection had ended before the call.', 'mcp_not_sent')
      case SdkErrorCode.InvalidResult:
      case SdkErrorCode.UnsupportedResultType:
      case SdkErrorCode.ClientHttpUnexpectedContent:
        return invalidAnswer()
      default:
        return broken(fault)
    }
  }
  return fail('unavailable', 'unknown', fault?.message ?? 'The call broke off.', fault?.code ?? 'mcp_broken')
}

function broken(fault: Fault): ConnectorFailure {
  return fail('unavailable', 'unknown', fault?.message ?? 'The connection ended during the call.', fault?.code ?? 'mcp_exited')
}

/** A server needs a client that can be asked, which we do not say that we are (MCP 2026-07-28, MissingRequiredClientCapability). */
const WANTS_INPUT = -32_021

/** Errors by which the protocol says that a request was not carried out at all (JSON-RPC 2.0, section 5.1, and MCP). */
const NOT_CARRIED_OUT: ReadonlySet<number> = new Set([-32_700, -32_600, -32_601, -32_602, -32_020, -32_022, -32_042])

function failureOfProtocol({ code, message }: { readonly code: number; readonly message: string }): ConnectorFailure {
  if (code === LOST_ANSWER.tooLarge) return fail('invalid_output', 'unknown', 'The answer is too large.', 'mcp_too_large')
  if (code === LOST_ANSWER.ended) return fail('unavailable', 'unknown', 'The answer broke off.', 'mcp_exited')
  const says = describeLine(message, 300).text
  if (code === WANTS_INPUT) return wantsInput()
  if (NOT_CARRIED_OUT.has(code))
    return fail('semantic', 'never', `The server refuses the call (${code}): ${says}`, `mcp_${-code}`)
  return fail('unavailable', 'unknown', `The server failed (${code}): ${says}`, `mcp_${Math.abs(code)}`)
}

/** As RFC 9110 and 6585 say, and the protocol about a session that a server has forgotten: 404. */
function failureOfStatus({ status, retryAfterMs, message }: RefusedByStatus): ConnectorFailure {
  const code = `mcp_http_${status}`
  const later = retryAfterMs === undefined ? {} : { retryAfterMs }
  if (status === 401 || status === 403) return fail('refused', 'never', message, code)
  if (status === 404 || status === 425 || status === 429) return { ...fail('unavailable', 'safe', message, code), ...later }
  if (status >= 400 && status < 500 && status !== 408) return fail('semantic', 'never', message, code)
  return { ...fail('unavailable', 'unknown', message, code), ...later }
}

/** A failure, in one line. */
export function fail(
  failure: ConnectorFailure['failure'],
  retry: ConnectorFailure['retry'],
  message: string,
  code: string,
): ConnectorFailure {
  return { kind: 'failed', failure, retry, message, code }
}
