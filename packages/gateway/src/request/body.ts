import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { type Json, KernelError, parseJson } from '@tidegate/kernel'
import { type Refusal, refuse } from '../reply.ts'

/** How deep the JSON of a request may nest. */
const MAX_DEPTH = 32

/**
 * Reads the body of a request as strict JSON; `undefined` when there is none. The sender controls every byte: size is counted while
 * it arrives, and whatever two readers could understand differently is refused (see parseJson).
 */
export async function readBody(
  request: IncomingMessage,
  maxBytes: number,
): Promise<{ readonly body: Json | undefined } | Refusal> {
  const bytes = await readBytes(request, maxBytes)
  if ('kind' in bytes) return bytes
  if (bytes.length === 0) return { body: undefined }
  if (!isUtf8(bytes)) return refuse('invalid_utf8', 'The body is not valid UTF-8.')
  try {
    return { body: parseJson(bytes.toString('utf8'), { maxBytes, maxDepth: MAX_DEPTH }) }
  } catch (error) {
    if (error instanceof KernelError) return refuse('malformed_json', error.message)
    throw error
  }
}

/** Reads the body of a request as bytes that are said to be JSON, of which nothing is checked but their size; none when there is none. */
export async function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer | Refusal> {
  const announced = Number(request.headers['content-length'] ?? 0)
  if (announced > maxBytes) return tooLarge(maxBytes)
  const bytes = await collect(request, maxBytes)
  if (bytes === 'too_large') return tooLarge(maxBytes)
  if (bytes === 'cut_off') return refuse('invalid_request', 'The body ended before it was complete.')
  if (bytes.length === 0) return bytes
  if (!/^application\/json(?:\s*;\s*charset=utf-8)?$/i.test(request.headers['content-type'] ?? '')) {
    return refuse('unsupported_media_type', 'Send the body as `Content-Type: application/json`.')
  }
  if (request.headers['content-encoding'] !== undefined) {
    return refuse('unsupported_media_type', 'Send the body without a Content-Encoding.')
  }
  return bytes
}

/** The bytes of a body, unless there are too many or the sender went away: half a body is none. */
async function collect(request: IncomingMessage, maxBytes: number): Promise<Buffer | 'too_large' | 'cut_off'> {
  const { promise, resolve } = Promise.withResolvers<Buffer | 'too_large' | 'cut_off'>()
  const chunks: Buffer[] = []
  let size = 0
  request.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > maxBytes) resolve('too_large')
    else chunks.push(chunk)
  })
  request.once('end', () => resolve(Buffer.concat(chunks)))
  request.once('error', () => resolve('cut_off'))
  request.once('close', () => resolve('cut_off'))
  return promise
}

function tooLarge(maxBytes: number): Refusal {
  return refuse('body_too_large', `A body may have at most ${maxBytes} bytes.`)
}
