import type { WireHostAnswer, WireHostCall, WireHostReport } from '@tidegate/protocol'
import { ClientError } from '../error.ts'
import type { HostClient } from './host-client.ts'

/** How the calls of one conversation are governed. */
export interface GovernOptions {
  readonly host: HostClient
  /** Your name for the conversation: what the agent has read in it counts for its later calls. */
  readonly session: string
  /** What tools are called in policy, by their names: `{ refund: 'shop.refund.create' }`. A tool that stands nowhere keeps its name. */
  readonly operations?: Readonly<Record<string, string>>
  /** `user:...`: on whose behalf. */
  readonly person?: string
  /** How long a call waits for people; 0 unless told. Then it fails with `approval_pending`, and the same call later goes on from there. */
  readonly waitMs?: number
  /** When Tidegate does not answer: `refuse` (unless told) or `go`, which is for observing only. */
  readonly unreachable?: 'refuse' | 'go'
}

/** One call that an agent wants to make. */
export interface GovernedCall {
  readonly tool: string
  readonly arguments: Readonly<Record<string, unknown>>
  /** The framework's own id of the call, where it has one: a retry is then the same call. */
  readonly call?: string | undefined
  readonly signal?: AbortSignal | undefined
}

const MAX_OUTPUT = 262_144
const MAX_ERROR = 4_000

/**
 * Makes one call, if it may be made, and reports what came of it.
 *
 * `perform` is called at most once, after a permit, and with the arguments that were decided on. It is not called when Tidegate has made
 * the call itself: its result is that of the operation.
 *
 * @throws ClientError `not_permitted` or `approval_pending`, with what to tell the model; others when Tidegate does not answer. What
 * `perform` throws is reported and thrown on.
 */
export async function governCall<T>(
  options: GovernOptions,
  call: GovernedCall,
  perform: (args: Readonly<Record<string, unknown>>) => Promise<T> | T,
): Promise<T> {
  const id = call.call ?? globalThis.crypto.randomUUID()
  const asked = await ask(options, call, id)
  if (asked === 'unreachable') return perform(call.arguments)
  if (asked.answer === 'done') return asked.output as T // sound as far as the operation declares what the tool returns
  if (asked.answer !== 'permit') throw refusalOf(asked)
  const report = (result: { readonly ok: boolean; readonly output?: unknown; readonly error?: string }): Promise<void> =>
    tell(options, id, result)
  try {
    // Sound: what a permit holds are the arguments of this call, which are an object.
    const output = await perform(asked.arguments as Readonly<Record<string, unknown>>)
    await report({ ok: true, output })
    return output
  } catch (error) {
    await report({ ok: false, error: error instanceof Error ? error.message : String(error) })
    throw error
  }
}

async function ask(
  options: GovernOptions,
  { tool, arguments: args }: GovernedCall,
  call: string,
): Promise<WireHostAnswer | 'unreachable'> {
  const { host, session, person, operations = {}, waitMs = 0, unreachable = 'refuse' } = options
  const operation = Object.hasOwn(operations, tool) ? operations[tool] : undefined
  try {
    return await host.call({
      ...{ session, call, tool: operation ?? tool, by: 'host', waitMs },
      arguments: plain(args),
      ...(person === undefined ? {} : { person }),
    })
  } catch (error) {
    const silent = error instanceof ClientError && ['unreachable', 'timeout'].includes(error.code)
    if (silent && unreachable === 'go') return 'unreachable'
    throw error
  }
}

/** What was done is done: that its report did not arrive is no reason to fail it. */
async function tell(
  { host, session }: GovernOptions,
  call: string,
  { ok, output, error }: { readonly ok: boolean; readonly output?: unknown; readonly error?: string },
): Promise<void> {
  const text = JSON.stringify(output) ?? 'null'
  const kept =
    text.length > MAX_OUTPUT
      ? { output: { content: text.slice(0, MAX_OUTPUT).toWellFormed() }, truncated: true }
      : { output: wrap(text) }
  const said = ok ? kept : { error: (error ?? '').slice(0, MAX_ERROR).toWellFormed() }
  await host.report({ session, call, ok, ...said }).catch(() => undefined)
}

function wrap(text: string): NonNullable<WireHostReport['output']> {
  const value = JSON.parse(text) as NonNullable<WireHostReport['output']> | null // sound: what was parsed is JSON
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : { content: value }
}

/** Arguments as they go over the wire: what JSON does not know is not there. */
function plain(args: Readonly<Record<string, unknown>>): WireHostCall['arguments'] {
  return JSON.parse(JSON.stringify(args))
}

function refusalOf(answer: Exclude<WireHostAnswer, { readonly answer: 'permit' | 'done' }>): ClientError {
  switch (answer.answer) {
    case 'pending':
      return new ClientError(
        'approval_pending',
        `Waiting for approval #${answer.approval}. Make exactly the same call again later.`,
      )
    case 'denied':
      return new ClientError('not_permitted', `Denied by policy: ${answer.reasons.join('; ') || 'no reason was given'}.`)
    case 'rehearsed':
      return new ClientError('not_permitted', `Only rehearsed, not done: ${JSON.stringify(answer.preview)}`)
    case 'stopped':
      return new ClientError('not_permitted', `Stopped: ${answer.message}`)
    case 'failed':
    case 'unknown':
      return new ClientError('not_permitted', `Tidegate could not let it happen: ${answer.message}`)
    case 'ticket':
      return new ClientError('malformed_answer', 'The server answered with a ticket that was not asked for.')
  }
}
