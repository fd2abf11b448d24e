import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { ModelRequest, ModelResult } from '@tidegate/kernel'
import { type ModelServerOptions, type SeenRequest, type ServerReply, startModelServer } from '@tidegate/testkit'
import { createOpenAiModel, type OpenAiModelOptions } from '../src/index.ts'

export const KEY = 'sk-4f1c9e77secret-of-the-test'

export const REQUEST: ModelRequest = {
  system: 'You propose.',
  messages: [{ role: 'user', content: [{ text: 'Look.', origins: ['user'] }] }],
  tools: [{ name: 'look', description: 'Looks.', inputSchema: { type: 'object' } }],
  maxOutputTokens: 64,
  timeoutMs: 3000,
}

export interface Asked {
  readonly result: ModelResult
  readonly seen: readonly SeenRequest[]
  /** What was passed to `onText`. */
  readonly pieces: readonly string[]
  readonly tookMs: number
}

/** Asks a fresh server double once and takes it down again. */
export async function ask(
  reply: ServerReply,
  change: {
    readonly options?: Partial<OpenAiModelOptions>
    readonly request?: Partial<ModelRequest>
    readonly server?: Partial<ModelServerOptions>
  } = {},
): Promise<Asked> {
  const server = await startModelServer({ script: [reply], ...change.server })
  const { baseUrl } = server
  const model = createOpenAiModel({ preset: 'vllm', name: 'test', baseUrl, apiKey: async () => KEY, ...change.options })
  const pieces: string[] = []
  const start = performance.now()
  try {
    const result = await model.call({ ...REQUEST, onText: (piece) => pieces.push(piece), ...change.request })
    return { result, seen: server.requests, pieces, tookMs: performance.now() - start }
  } finally {
    await server.close()
  }
}

/** `code retry`, or the kind: what a table row says. */
export function summary(result: ModelResult): string {
  return result.kind === 'failed' ? `${result.code} ${result.retry}` : result.kind
}

/** A listener on 127.0.0.1 that does with each connection what it is told; `port` and a way to take it down. */
export async function listen(onSocket: (socket: Socket) => void): Promise<{ port: number; close: () => Promise<void> }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    onSocket(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // Sound: a server that listens on TCP has an address with a port.
  const { port } = server.address() as AddressInfo
  const close = (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(() => resolve()))
  }
  return { port, close }
}
