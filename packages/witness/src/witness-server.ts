import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { ADD_CHECKPOINT_MAX_BYTES, decodeUtf8, KernelError, type WitnessAnswer, type WitnessRefusal } from '@tidegate/kernel'
import type { LocalWitness } from './create-witness.ts'

/** One HTTP answer. */
interface Reply {
  readonly status: number
  readonly body: string
  readonly type?: string
}

/** The status codes of C2SP tlog-witness. */
const STATUS: Readonly<Record<WitnessRefusal, number>> = {
  malformed: 400,
  bad_signature: 403,
  unknown_log: 404,
  bad_proof: 422,
  unreachable: 503,
}

/**
 * Makes the HTTP face of a witness: `POST /add-checkpoint`, and `GET /<origin hash>/checkpoint` for monitors. The caller makes it
 * listen.
 *
 * Requests come from anybody who can connect: a body has at most {@link ADD_CHECKPOINT_MAX_BYTES} bytes, a request 10 seconds. When
 * the witness cannot remember a checkpoint it answers 500 and calls `onFailure`.
 */
export function createWitnessServer(witness: LocalWitness, onFailure: (error: unknown) => void): Server {
  const options = { requestTimeout: 10_000, headersTimeout: 5_000, keepAliveTimeout: 30_000, maxHeaderSize: 8192 }
  const server = createServer(options, (request, response) => {
    answer(witness, request).then(
      (reply) => send(response, reply),
      (error: unknown) => {
        onFailure(error)
        send(response, { status: 500, body: 'The witness cannot answer.\n' })
      },
    )
  })
  server.maxConnections = 64
  return server
}

async function answer(witness: LocalWitness, request: IncomingMessage): Promise<Reply> {
  const path = request.url ?? ''
  if (path === '/add-checkpoint') {
    if (request.method !== 'POST') return { status: 405, body: 'Use POST.\n' }
    const body = await readBody(request)
    if (body.kind === 'unreadable') return body.reply
    return replyTo(witness.addCheckpoint(body.text))
  }
  const monitored = /^\/([0-9a-f]{64})\/checkpoint$/.exec(path)
  const note = monitored?.[1] === undefined || request.method !== 'GET' ? undefined : witness.heldNote(monitored[1])
  return note === undefined ? { status: 404, body: 'There is nothing here.\n' } : { status: 200, body: note }
}

function replyTo(decision: WitnessAnswer): Reply {
  switch (decision.kind) {
    case 'cosigned':
      return { status: 200, body: decision.signatureLines }
    case 'conflict':
      return { status: 409, body: `${decision.heldSize}\n`, type: 'text/x.tlog.size' }
    case 'refused':
      return { status: STATUS[decision.because], body: `${decision.detail}\n` }
  }
}

type Body = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'unreadable'; readonly reply: Reply }

async function readBody(request: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  try {
    // The iterator must not destroy the request when we stop early: its connection still has to carry the answer.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      const bytes = chunk as Buffer // sound: no encoding is set on the request, so it yields buffers
      sizeBytes += bytes.length
      if (sizeBytes > ADD_CHECKPOINT_MAX_BYTES)
        return unreadable(413, `A request has at most ${ADD_CHECKPOINT_MAX_BYTES} bytes.\n`)
      chunks.push(bytes)
    }
  } catch {
    return unreadable(400, 'The request is cut off.\n') // the far side hung up; nobody will read this
  }
  try {
    return { kind: 'text', text: decodeUtf8(Buffer.concat(chunks)) }
  } catch (error) {
    if (error instanceof KernelError) return unreadable(400, 'The request is not text in UTF-8.\n')
    throw error
  }
}

function unreadable(status: number, body: string): Body {
  return { kind: 'unreadable', reply: { status, body } }
}

function send(response: ServerResponse, reply: Reply): void {
  const close = reply.status === 413 || reply.status === 500
  response.writeHead(reply.status, {
    'content-type': reply.type ?? 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(reply.body),
    'cache-control': 'no-store',
    ...(close ? { connection: 'close' } : {}),
  })
  response.end(reply.body)
}
