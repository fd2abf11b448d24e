import type { ConnectorResult, JsonObject } from '@tidegate/kernel'
import type { ModelProxy, ModelRequest } from '../src/index.ts'

/** What a client got, and what is recorded. */
export interface Asked {
  readonly result: ConnectorResult
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  readonly isWhole: boolean | undefined
  readonly output: JsonObject
}

export const KEY = 'sk-project-0123456789abcdef'

export interface Asking extends Partial<ModelRequest> {
  readonly json?: object
  readonly signal?: AbortSignal
  /** Called with each piece that the client gets. */
  readonly onChunk?: () => void | Promise<void>
  readonly changes?: JsonObject
  readonly timeoutMs?: number
  readonly key?: string | null
}

/** Asks as the gateway does: opens, is allowed, executes. */
export async function ask(proxy: ModelProxy, asking: Asking): Promise<Asked> {
  const { json, signal, onChunk, changes = {}, timeoutMs = 5_000, key = KEY, ...request } = asking
  let status: number | undefined
  let headers: Readonly<Record<string, string>> = {}
  let isWhole: boolean | undefined
  const chunks: Uint8Array[] = []
  const opened = proxy.open({
    ...{ host: 'claw', method: 'POST', path: '/v1/chat/completions', query: '', headers: {} },
    body: json === undefined ? undefined : Buffer.from(JSON.stringify(json)),
    ...request,
    gone: signal ?? new AbortController().signal,
    sink: {
      head(given, more) {
        status = given
        headers = more
      },
      async write(chunk) {
        chunks.push(chunk)
        await onChunk?.()
      },
      end(whole) {
        isWhole = whole
      },
    },
  })
  if (opened.kind === 'unprepared') throw new Error(`${opened.why}: ${opened.message}`)
  const [operation] = proxy.operations
  const shaped = operation?.input.parse({ ...opened.arguments, ...changes })
  if (shaped?.ok !== true) throw new Error('the arguments are not what they should be')
  const result = await proxy.connector.execute({
    ...{ operation: opened.operation, arguments: shaped.value, session: 's', effectId: 'r.0', attempt: 1, timeoutMs },
    secret: async () => {
      if (key === null) throw new Error('a stop has taken back the lease')
      return key
    },
  })
  opened.close()
  const text = Buffer.concat(chunks).toString('utf8')
  const output = result.kind === 'done' ? (result.output as JsonObject) : {}
  return { result, status, headers, text, isWhole, output }
}
