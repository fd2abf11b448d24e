import { type IncomingHttpHeaders, request } from 'node:http'
import { connect } from 'node:net'

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** Sends one request with exactly the given headers (and `Host`, unless given), on a connection of its own. */
export function send(
  port: number,
  method: string,
  path: string,
  options: {
    readonly headers?: Record<string, string | string[]>
    readonly body?: string | Uint8Array
    readonly chunked?: boolean
  } = {},
): Promise<RawAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>()
  const length = options.body === undefined || options.chunked ? {} : { 'content-length': Buffer.byteLength(options.body) }
  const sent = request(
    { host: '127.0.0.1', port, method, path, agent: false, headers: { ...length, ...options.headers } },
    (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
    },
  )
  sent.once('error', reject)
  sent.end(options.body)
  return promise
}

/** Writes bytes to a connection and answers everything that comes back until it is closed. */
export function sendBytes(port: number, bytes: string | Uint8Array): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let text = ''
  const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
  socket.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
  })
  socket.once('close', () => resolve(text))
  socket.once('error', reject)
  return promise
}
