import type {
  Connector,
  ConnectorCall,
  ConnectorFailure,
  ConnectorResult,
  Json,
  Reconciliation,
  ToolLook,
} from '@tidegate/kernel'
import { callTool, fail, failureOf } from './call.ts'
import type { Catalogue } from './catalogue.ts'
import type { Connection } from './connection.ts'
import { deriveArguments, isSeen } from './derive.ts'
import { MAX_IN_FLIGHT } from './limits.ts'
import { NotSent, RefusedByStatus } from './link/link.ts'
import type { Offered } from './make-operation.ts'
import type { Session } from './open-session.ts'
import { boundAnswer } from './output.ts'
import type { Secrets } from './secrets.ts'
import type { McpPorts } from './server.ts'

/** What calls need. */
export interface ConnectorParts {
  readonly ports: McpPorts
  readonly catalogue: Catalogue
  readonly connection: Connection
  readonly secrets: Secrets
}

/**
 * Creates the connector of one server.
 *
 * 1. A call is made only while the live definition of its tool is exactly the one that is offered, as of the last look at the list.
 * 2. `execute` sends at most one `tools/call`. Looking (`reconcile`, `verify`) calls only tools that the owner has classified as reads.
 * 3. No secret that the server was given leaves in an output or in a message (I8).
 * 4. Of a read, nothing is left behind: `unknown` becomes `safe`.
 */
export function createMcpConnector(parts: ConnectorParts): Connector {
  const { catalogue } = parts
  const inFlight = { count: 0 }
  const offeredOf = (call: ConnectorCall) => catalogue.offered.byId.get(call.operation)
  const run = (item: Offered, call: ConnectorCall) => runLimited(item, call, parts, inFlight)
  const ask = (asked: ToolLook, call: ConnectorCall, output: Json) => askAbout(asked, { call, output }, catalogue, run)
  return {
    async execute(call) {
      const item = offeredOf(call)
      return item === undefined ? undeclared(call) : run(item, call)
    },
    preview: async (call) => fail('refused', 'never', `${call.operation} declares no preview.`, 'preview_undeclared'),
    async reconcile(call): Promise<Reconciliation> {
      const item = offeredOf(call)
      if (item?.operation.mutability === 'read') return { kind: 'absent' }
      const asked = item?.classified?.reconcile
      if (asked === undefined) return { kind: 'unknown', message: `${call.operation} declares no way to look.` }
      const answer = await ask(asked, call, null)
      if (typeof answer === 'string') return { kind: 'unknown', message: answer }
      return answer.seen ? { kind: 'happened', output: { content: [] } } : { kind: 'absent' }
    },
    async verify(call, output) {
      const asked = offeredOf(call)?.classified?.verify
      if (asked === undefined) return { holds: false, detail: `${call.operation} declares no way to verify.` }
      const answer = await ask(asked, call, output)
      if (typeof answer === 'string') return { holds: false, detail: `Could not be looked at: ${answer}` }
      return { holds: answer.seen, detail: answer.seen ? 'Seen at the server.' : 'Not seen at the server.' }
    },
  }
}

async function runLimited(
  item: Offered,
  call: ConnectorCall,
  parts: ConnectorParts,
  inFlight: { count: number },
): Promise<ConnectorResult> {
  if (inFlight.count >= MAX_IN_FLIGHT)
    return fail('unavailable', 'safe', `${MAX_IN_FLIGHT} calls are under way at this server.`, 'mcp_not_sent')
  inFlight.count += 1
  try {
    const result = await reach(item, call, parts)
    return result.kind === 'done' ? result : judged(item, result, parts.secrets)
  } catch (error) {
    return judged(item, failureOf(error, undefined), parts.secrets)
  } finally {
    inFlight.count -= 1
  }
}

function judged({ operation }: Offered, failure: ConnectorFailure, secrets: Secrets): ConnectorFailure {
  const retry = operation.mutability === 'read' && failure.retry === 'unknown' ? 'safe' : failure.retry
  return { ...failure, retry, message: secrets.clean(failure.message) }
}

async function reach(item: Offered, call: ConnectorCall, parts: ConnectorParts): Promise<ConnectorResult> {
  const { ports, connection, catalogue, secrets } = parts
  const deadlineMs = ports.clock.monotonicMs() + Math.max(1, Math.min(call.timeoutMs, item.operation.timeoutMs))
  const leftMs = () => Math.ceil(deadlineMs - ports.clock.monotonicMs())
  let session: Session
  try {
    session = await connection.open(leftMs())
    const { offer } = await catalogue.fresh(session, Math.max(1, leftMs()))
    const now = offer.byId.get(item.operation.id)
    if (now === undefined) return gone(item)
    if (now.operation.schemaVersion !== item.operation.schemaVersion) return changed(item)
  } catch (error) {
    return notReached(error, connection.waitMs())
  }
  const timeoutMs = leftMs()
  if (timeoutMs < 1) return fail('unavailable', 'safe', 'The server took too long to get ready.', 'mcp_not_sent')
  const called = await callTool(session, item, call, { timeoutMs, progress: ports.progress })
  if (called.kind === 'failed') {
    if (called.code === 'mcp_http_404') connection.drop(session) // the server has forgotten it
    return called
  }
  const { output, complete } = boundAnswer(called.answer)
  const fitting = item.operation.output.parse(output)
  const invalid = (message: string, code: string) => fail('invalid_output', 'unknown', message, code)
  if (!fitting.ok) {
    const [issue] = fitting.issues
    const why = issue === undefined ? 'it is of another form' : `${issue.path || '(root)'} ${issue.message}`
    return invalid(`The answer does not fit what the tool declares: ${why}`, 'mcp_invalid_answer')
  }
  if (secrets.leaks(fitting.value))
    return invalid('The answer holds a secret that the server was given, and is not passed on.', 'mcp_secret')
  return { kind: 'done', output: fitting.value, complete }
}

/** Asks another tool about an effect. The words say why nothing was found out. */
async function askAbout(
  asked: ToolLook,
  { call, output }: { readonly call: ConnectorCall; readonly output: Json },
  { offered }: Catalogue,
  run: (item: Offered, call: ConnectorCall) => Promise<ConnectorResult>,
): Promise<{ readonly seen: boolean } | string> {
  const item = [...offered.byId.values()].find(({ toolName }) => toolName === asked.tool)
  if (item === undefined || item.operation.mutability !== 'read') return 'The tool that would be asked is not there.'
  const args = deriveArguments(asked.arguments, { arguments: call.arguments, output })
  const parsed = args === undefined ? undefined : item.operation.input.parse(args)
  if (parsed?.ok !== true) return 'The arguments of the look cannot be told from the call.'
  const result = await run(item, { ...call, operation: item.operation.id, arguments: parsed.value })
  if (result.kind === 'failed') return result.message // a tool that fails has not said that nothing is there
  return result.complete ? { seen: isSeen(asked, result.output) } : 'The answer was cut short.'
}

function undeclared({ operation }: ConnectorCall): ConnectorFailure {
  return fail('refused', 'never', `No MCP server offers the operation ${operation}.`, 'operation_undeclared')
}

function gone({ operation }: Offered): ConnectorFailure {
  return fail('unavailable', 'never', `${operation.id} is gone: its server does not offer it any more.`, 'mcp_tool_gone')
}

function changed({ operation }: Offered): ConnectorFailure {
  const message = `The server has changed what ${operation.id} is since it was accepted. Look at the difference: tidegate tools review`
  return fail('refused', 'never', message, 'mcp_tool_changed')
}

/** Nothing of the call was sent: the server did not start, or did not say what its tools are. */
function notReached(error: unknown, waitMs: number): ConnectorFailure {
  const message = error instanceof Error ? error.message : 'unknown'
  const isDenied = error instanceof RefusedByStatus && (error.status === 401 || error.status === 403)
  const code = error instanceof NotSent ? 'mcp_unreachable' : 'mcp_not_listed'
  const failure = fail(isDenied ? 'refused' : 'unavailable', 'safe', message, code)
  return waitMs > 0 ? { ...failure, retryAfterMs: waitMs } : failure
}
