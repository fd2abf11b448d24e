/** What has to be known of a message to pass it on. */
export interface Passing {
  /** The message as it was written. */
  readonly text: string
  readonly method: string | undefined
  readonly id: string | number | undefined
  /** The revision that a request of the stateless era says; undefined for one of the others. */
  readonly modern: string | undefined
  /** What the header `Mcp-Name` has to say. */
  readonly name: string | undefined
  /** The request that a cancellation is about. */
  readonly cancels: string | number | undefined
}

const VERSION = 'io.modelcontextprotocol/protocolVersion'

/** Looks at a message without changing it; undefined when it is no JSON object, or a list of them. */
export function lookAt(text: string): Passing | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (Array.isArray(value))
    return { text, method: undefined, id: undefined, modern: undefined, name: undefined, cancels: undefined }
  const message = objectOf(value)
  if (message === undefined) return undefined
  const params = objectOf(message.params)
  const modern = objectOf(params?._meta)?.[VERSION]
  const name = params?.name ?? params?.uri ?? params?.taskId
  return {
    text,
    method: typeof message.method === 'string' ? message.method : undefined,
    id: idOf(message.id),
    modern: typeof modern === 'string' ? modern : undefined,
    name: typeof name === 'string' ? name : undefined,
    cancels: message.method === 'notifications/cancelled' ? idOf(params?.requestId) : undefined,
  }
}

/** A value as a header may carry it (2026-07-28, section "Value Encoding"). */
export function headerValue(value: string): string {
  const isPlain = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value) && !/^=\?base64\?.*\?=$/.test(value)
  return isPlain ? value : `=?base64?${Buffer.from(value, 'utf8').toString('base64')}?=`
}

/** The member of an object at a path; undefined where there is none. */
export function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
}

function idOf(value: unknown): string | number | undefined {
  return typeof value === 'string' || typeof value === 'number' ? value : undefined
}
