import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One thing that the model says in a turn: words, or a call of a tool. */
export type Said = { readonly say: string } | { readonly tool: string; readonly input: object }

/** What the model says, turn by turn, in a conversation whose first message names the script. */
export type Scripts = Readonly<Record<string, readonly (readonly Said[])[]>>

export interface ModelStandIn {
  readonly url: string
  /** What tools answered, as the model saw it, by the id of the call. */
  readonly results: ReadonlyMap<string, string>
  close(): Promise<void>
}

interface Message {
  readonly role: string
  readonly content: string | readonly Readonly<Record<string, unknown>>[]
}

/** A model that says what a script says, in the messages of Anthropic's API. A conversation that names no script gets one word. */
export async function openModelStandIn(scripts: Scripts): Promise<ModelStandIn> {
  const results = new Map<string, string>()
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    if (request.url?.startsWith('/v1/messages') !== true || request.url.includes('count_tokens')) {
      response.writeHead(404, { 'content-type': 'application/json' })
      response.end('{"type":"error","error":{"type":"not_found_error","message":"not here"}}')
      return
    }
    const asked = JSON.parse(Buffer.concat(chunks).toString('utf8')) as {
      readonly model: string
      readonly stream?: boolean
      readonly tools?: readonly unknown[]
      readonly messages: readonly Message[]
    }
    for (const { content } of asked.messages) keepResults(content, results)
    const name = /SCRIPT:(\w+)/.exec(JSON.stringify(asked.messages[0]?.content ?? ''))?.[1] ?? ''
    const turn = asked.messages.filter(({ role }) => role === 'assistant').length
    const script = (asked.tools?.length ?? 0) > 0 ? scripts[name]?.[turn] : undefined
    answer(response, asked, name, turn, script ?? [{ say: 'done' }])
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    results,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function keepResults(content: Message['content'], results: Map<string, string>): void {
  if (typeof content === 'string') return
  for (const block of content) {
    if (block.type === 'tool_result') results.set(String(block.tool_use_id), JSON.stringify(block.content))
  }
}

function answer(
  response: ServerResponse,
  asked: { readonly model: string; readonly stream?: boolean },
  name: string,
  turn: number,
  script: readonly Said[],
): void {
  const content = script.map((said, i) =>
    'say' in said
      ? { type: 'text', text: said.say }
      : { type: 'tool_use', id: `toolu_${name}_${turn}_${i}`, name: said.tool, input: said.input },
  )
  const stop = content.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn'
  const message = {
    ...{ id: `msg_${name}_${turn}`, type: 'message', role: 'assistant', model: asked.model, content },
    ...{ stop_reason: stop, stop_sequence: null, usage: { input_tokens: 1, output_tokens: 1 } },
  }
  if (asked.stream !== true) {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(message))
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const send = (type: string, data: object): void => {
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`)
  }
  send('message_start', { message: { ...message, content: [], stop_reason: null } })
  for (const [index, block] of content.entries()) {
    const isText = 'text' in block
    send('content_block_start', { index, content_block: isText ? { type: 'text', text: '' } : { ...block, input: {} } })
    const delta = isText
      ? { type: 'text_delta', text: block.text }
      : { type: 'input_json_delta', partial_json: JSON.stringify(block.input) }
    send('content_block_delta', { index, delta })
    send('content_block_stop', { index })
  }
  send('message_delta', { delta: { stop_reason: stop, stop_sequence: null }, usage: { output_tokens: 1 } })
  send('message_stop', {})
  response.end()
}
