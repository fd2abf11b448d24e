import { type CallToolResult, ProtocolError, SdkError, SdkErrorCode } from '@modelcontextprotocol/client'
import type { ConnectorCall, ConnectorFailure, Json } from '@tidegate/kernel'
import { describeLine } from './describe.ts'
import { LOST_ANSWER, NotSent, RefusedByStatus, TooLarge } from './link/link.ts'
import type { Session } from './open-session.ts'
import type { Offered } from './make-operation.ts'
import type { Answer } from './output.ts'
import type { McpPorts } from './server.ts'

/** What became of one request, before anybody looks at what was answered. */
export type Called = { readonly kind: 'answered'; readonly answer: Answer } | ConnectorFailure

/** By this name the server is told which effect a call is for: the same for each attempt. */
const EFFECT_KEY = 'dev.tidegate/effect'

/**
 * Sends one call, once, and waits for its answer.
 *
 * A call that certainly did not leave is `safe`; of one that left and has no answer it is `unknown` whether it had an effect (I4). A server
 * that asks for input in return is told no: a person is asked by us before a call, never by a server during it.
 */
export async function callTool(
  { client, link }: Session,
  { toolName, input }: Pick<Offered, 'toolName' | 'input'>,
  call: Pick<ConnectorCall, 'arguments' | 'effectId'>,
  { timeoutMs, progress }: { readonly timeoutMs: number; readonly progress: McpPorts['progress'] },
): Promise<Called> {
  // Sound: admitted arguments have passed the input shape of this operation, which is an object of plain data.
  const args = call.arguments as Record<string, Json>
  try {
    const result: CallToolResult = await client.callTool(
      { name: toolName, arguments: args, _meta: { [EFFECT_KEY]: call.effectId } },
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
  } catch (error) {
    return failureOf(error, link.broken())
  }
}

function read(result: { readonly [key: string]: unknown }): Called {
  if (result.resultType === 'input_required') return wantsInput()
  const content: readonly unknown[] = Array.isArray(result.content) ? result.content : []
  if (result.isError === true)
    return fail('semantic', 'never', `The tool has failed: ${textOf(content) || 'it does not say why.'}`, 'mcp_tool_error')
  return { kind: 'answered', answer: { content, structured: result.structuredContent } }
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
        return fail('invalid_output', 'unknown', 'The answer is none that the protocol knows.', 'mcp_invalid_answer')
      default:
        return fail(
          'unavailable',
          'unknown',
          fault?.message ?? 'The connection ended during the call.',
          fault?.code ?? 'mcp_exited',
        )
    }
  }
  return fail('unavailable', 'unknown', fault?.message ?? 'The call broke off.', fault?.code ?? 'mcp_broken')
}

/** A server needs a client that can be asked, which we do not say that we are (MCP 2026-07-28, MissingRequiredClientCapability). */
const WANTS_INPUT = -32_021

/** Errors by which the protocol says that a request was not carried out at all (JSON-RPC 2.0, section 5.1, and MCP). */
const NOT_CARRIED_OUT: ReadonlySet<number> = new Set([-32_700, -32_600, -32_601, -32_602, -32_020, -32_022, -32_042])

function failureOfProtocol({ code, message }: ProtocolError): ConnectorFailure {
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
