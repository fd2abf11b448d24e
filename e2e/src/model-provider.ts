import { createServer } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'

/** A provider of models that says what it is told to: `say:` and words in the last message, streamed word by word. */
export interface ModelProvider {
  readonly url: string
  /** What it was asked, with the key. */
  readonly asked: readonly { readonly path: string; readonly key: string; readonly body: Record<string, unknown> }[]
  close(): Promise<void>
}

/** The key that this provider accepts. */
export const PROVIDER_KEY = 'sk-provider-0123456789abcdef'

/** Starts it. Each reply uses 100 tokens of input and 50 of output. */
export async function startModelProvider({ pauseMs = 1 }: { readonly pauseMs?: number } = {}): Promise<ModelProvider> {
  const asked: { path: string; key: string; body: Record<string, unknown> }[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString('utf8')
    const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
    const { authorization = '', 'x-api-key': apiKey = '' } = request.headers
    asked.push({ path: request.url ?? '', key: String(apiKey) || authorization.replace('Bearer ', ''), body })
    const words = /say:([^"]*)/.exec(text)?.[1]?.split(' ') ?? ['nothing']
    if (body.stream !== true) {
      const message = { role: 'assistant', content: words.join(' ') }
      const usage = { prompt_tokens: 100, completion_tokens: 50 }
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ choices: [{ message, finish_reason: 'stop' }], usage }))
      return
    }
    const events = request.url?.startsWith('/v1/messages') === true ? anthropic(words) : openAi(words)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const event of events) {
      response.write(event)
      await pause(pauseMs)
      if (response.destroyed) return
    }
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const data = (event: object): string => `data: ${JSON.stringify(event)}\n\n`

function openAi(words: readonly string[]): readonly string[] {
  const chunk = (content: string) => data({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })
  const usage = { prompt_tokens: 100, completion_tokens: 50 }
  return [...words.map((word) => chunk(`${word} `)), data({ choices: [], usage }), 'data: [DONE]\n\n']
}

function anthropic(words: readonly string[]): readonly string[] {
  const named = (type: string, more: object): string => `event: ${type}\n${data({ type, ...more })}`
  const delta = (text: string) => named('content_block_delta', { index: 0, delta: { type: 'text_delta', text } })
  return [
    named('message_start', { message: { usage: { input_tokens: 100, output_tokens: 1 } } }),
    named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    ...words.map((word) => delta(`${word} `)),
    named('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 50 } }),
    named('message_stop', {}),
  ]
}
