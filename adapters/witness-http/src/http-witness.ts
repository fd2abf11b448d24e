import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import {
  type CosignRequest,
  decodeUtf8,
  encodeAddCheckpoint,
  KernelError,
  parseSignatureLines,
  type Witness,
  type WitnessAnswer,
  type WitnessRefusal,
} from '@tidegate/kernel'
import { WitnessHttpError } from './error.ts'

/** How to reach a witness. */
export interface HttpWitnessOptions {
  /** The submission prefix, `http:` or `https:`, without credentials, query or fragment. */
  readonly url: string
  /** How long one question may take, from the connection to the last byte; 5 seconds unless told. */
  readonly timeoutMs?: number
}

/** A witness elsewhere, and the means to let go of its connections. */
export interface HttpWitness extends Witness {
  close(): void
}

/** The largest answer that is read: 16 signatures of the largest known kind. */
const ANSWER_MAX_BYTES = 131_072

/** The status codes of C2SP tlog-witness. */
const REFUSALS: Readonly<Record<number, WitnessRefusal>> = {
  400: 'malformed',
  403: 'bad_signature',
  404: 'unknown_log',
  422: 'bad_proof',
}

/**
 * Creates a {@link Witness} over HTTP (C2SP tlog-witness, `POST /add-checkpoint`). Follows no redirect and keeps one connection.
 *
 * The far side is not trusted: its answer has a size and a time limit, and whatever is no answer of the protocol is `unreachable`.
 * The cosignature itself is for the caller to verify, against the key that it trusts.
 *
 * @throws WitnessHttpError `witness_url_unusable`.
 */
export function createHttpWitness({ url, timeoutMs = 5000 }: HttpWitnessOptions): HttpWitness {
  const target = parseUrl(url)
  const agentOptions = { keepAlive: true, maxSockets: 1 }
  const agent = target.protocol === 'https:' ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions)

  async function cosign(request: CosignRequest): Promise<WitnessAnswer> {
    try {
      const { status, body } = await post(target, agent, { text: encodeAddCheckpoint(request), timeoutMs })
      return readAnswer(status, body)
    } catch (error) {
      return { kind: 'refused', because: 'unreachable', detail: reasonOf(error, timeoutMs) }
    }
  }

  return { cosign, close: () => agent.destroy() }
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const plain = url?.username === '' && url.password === '' && url.search === '' && url.hash === ''
  if (url === undefined || !plain || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new WitnessHttpError(
      'witness_url_unusable',
      'A witness URL is http: or https:, without credentials, query or fragment.',
    )
  }
  return new URL(`${url.href.replace(/\/+$/, '')}/add-checkpoint`)
}

function post(
  url: URL,
  agent: HttpAgent | HttpsAgent,
  { text, timeoutMs }: { text: string; timeoutMs: number },
): Promise<{ status: number; body: string }> {
  const body = Buffer.from(text)
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'content-length': body.length }
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const request = send(url, { method: 'POST', agent, headers, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      readBounded(response).then((answer) => resolve({ status: response.statusCode ?? 0, body: answer }), reject)
    })
    request.on('error', reject)
    request.end(body)
  })
}

async function readBounded(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of response) {
    const bytes = chunk as Buffer // sound: no encoding is set on the response, so it yields buffers
    sizeBytes += bytes.length
    if (sizeBytes > ANSWER_MAX_BYTES)
      throw new WitnessHttpError('witness_answer_too_large', `The answer has more than ${ANSWER_MAX_BYTES} bytes.`)
    chunks.push(bytes)
  }
  return decodeUtf8(Buffer.concat(chunks))
}

function readAnswer(status: number, body: string): WitnessAnswer {
  if (status === 200) {
    parseSignatureLines(body) // throws when the answer is none
    return { kind: 'cosigned', signatureLines: body }
  }
  if (status === 409 && /^(?:0|[1-9][0-9]{0,15})\n$/.test(body) && Number.isSafeInteger(Number(body))) {
    return { kind: 'conflict', heldSize: Number(body) }
  }
  const because = REFUSALS[status]
  if (because === undefined)
    return { kind: 'refused', because: 'unreachable', detail: `The witness answered with status ${status}.` }
  return { kind: 'refused', because, detail: `The witness refused with status ${status}.` }
}

/** Says why there is no answer, without repeating anything that the far side sent. */
function reasonOf(error: unknown, timeoutMs: number): string {
  if (error instanceof KernelError) return 'The witness answered with something that is no cosignature.'
  if (error instanceof WitnessHttpError) return error.message
  if (error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError')) {
    return `The witness did not answer within ${timeoutMs} ms.`
  }
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown'
  return `The witness cannot be reached (${code}).`
}
