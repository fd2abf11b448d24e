import { request } from 'node:http'
import type { Readable } from 'node:stream'

/** What came back on the wire. */
export interface RawAnswer {
  readonly status: number
  /** The parsed body, or its text when it is not JSON. */
  readonly body: unknown
}

/** Sends any bytes at all, as no well-behaved client would; the answer counts even when the server stops reading before we stop sending. */
export function sendRaw(
  url: string,
  options: {
    readonly method: string
    readonly headers: Readonly<Record<string, string>>
    readonly body?: string | Uint8Array | Readable
  },
): Promise<RawAnswer> {
  const { method, headers, body } = options
  return new Promise((resolve, reject) => {
    const sending = request(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      const end = (): void => resolve({ status: response.statusCode ?? 0, body: parse(Buffer.concat(chunks).toString()) })
      response
        .on('data', (chunk: Buffer) => chunks.push(chunk))
        .once('end', end)
        .once('error', end)
    })
    sending.once('error', reject)
    sending.setTimeout(20_000, () => sending.destroy(new Error('no answer')))
    if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) sending.end(body)
    else {
      sending.once('response', () => body.unpipe(sending))
      body.on('error', reject).pipe(sending)
    }
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
