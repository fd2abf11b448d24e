import {
  HOST_WAIT_MS,
  hostAnswerSchema,
  hostGreetingSchema,
  type WireHostAnswer,
  type WireHostCall,
  type WireHostGreeting,
  type WireHostHeard,
  type WireHostHello,
  type WireHostReport,
} from '@tidegate/protocol'
import { createAsk } from '../ask.ts'
import type { ClientOptions } from '../client.ts'

/** What a host asks Tidegate: an agent program of yours, listed under `hosts` in tidegate.yaml, with the token of that host. */
export interface HostClient {
  /** At the start, and every now and then. */
  hello(hello: WireHostHello): Promise<WireHostGreeting>
  /** What the person said to the agent. What is named there counts as named by the task. */
  heard(heard: WireHostHeard): Promise<void>
  /** Whether a call may be made. Waits for people up to `waitMs`. The same `call` again is the same call. */
  call(call: WireHostCall): Promise<WireHostAnswer>
  /** What came of a call that was permitted. */
  report(report: WireHostReport): Promise<void>
  close(): void
}

const DEFAULT_TIMEOUT_MS = 35_000
/** Nothing is read of these answers. */
const anything = { safeParse: (): { readonly success: true; readonly data: undefined } => ({ success: true, data: undefined }) }

/**
 * Creates a client for a host. Nothing is sent before the first call.
 *
 * @throws ClientError `request_invalid` when the URL or the token cannot be used.
 */
export function createHostClient(options: ClientOptions): HostClient {
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = options
  const { ask, close } = createAsk(options)
  return {
    hello: (hello) => ask('POST', '/host/hello', hostGreetingSchema, hello, timeoutMs),
    heard: (heard) => ask('POST', '/host/heard', anything, heard, timeoutMs),
    call: (call) => ask('POST', '/host/calls', hostAnswerSchema, call, timeoutMs + Math.min(call.waitMs ?? 0, HOST_WAIT_MS)),
    report: (report) => ask('POST', '/host/reports', anything, report, timeoutMs),
    close,
  }
}
