import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

/** A model that does what the person's message says: each line `CALL tool {json}` is a call, in order; then it repeats the last result. */
export interface FakeModel {
  readonly port: number
  /** The tools that were offered with the last request. */
  offered(): readonly string[]
  close(): Promise<void>
}

interface Message {
  readonly role: string
  readonly content?: string | readonly { readonly text?: string }[] | null
  readonly tool_calls?: readonly unknown[]
}

interface ChatRequest {
  readonly messages: readonly Message[]
  readonly tools?: readonly { readonly function?: { readonly name?: string } }[]
}

/** Starts one: the chat completions of OpenAI, streamed. */
export async function startFakeModel(port: number): Promise<FakeModel> {
  let offered: readonly string[] = []
  const server = createServer((request, response) => void serve(request, response))
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    if (request.url?.endsWith('/models') === true) {
      response.end(JSON.stringify({ object: 'list', data: [{ id: 'fake-1', object: 'model' }] }))
      return
    }
    // Ours: only OpenClaw, which we started, speaks to this port.
    const asked = JSON.parse(Buffer.concat(parts).toString('utf8')) as ChatRequest
    offered = (asked.tools ?? []).map((tool) => tool.function?.name ?? '')
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const chunk of chunksOf(asked, offered)) response.write(`data: ${JSON.stringify(chunk)}\n\n`)
    response.end('data: [DONE]\n\n')
  }

  return {
    port,
    offered: () => offered,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function chunksOf({ messages }: ChatRequest, offered: readonly string[]): readonly object[] {
  // A sub-agent of 2026.5.7 finds its task in the system prompt.
  const at = messages.findLastIndex(({ role, content }) => role === 'user' && linesOf(textOf(content)).length > 0)
  const isSubAgent = messages.some(({ role, content }) => role === 'user' && textOf(content).includes('[Subagent Context]'))
  const system = isSubAgent && at < 0 ? messages.find(({ role }) => role === 'system') : undefined
  const script = linesOf(textOf((messages[at] ?? system)?.content))
  const made = messages
    .slice(at + 1)
    .filter(({ role, tool_calls: calls }) => role === 'assistant' && (calls?.length ?? 0) > 0).length
  const next = script[made]
  const base = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'fake-1' }
  const chunk = (delta: object, reason: string | null) => ({ ...base, choices: [{ index: 0, delta, finish_reason: reason }] })
  if (next === undefined) {
    const last = messages.findLast(({ role }) => role === 'tool')
    return [
      chunk({ role: 'assistant', content: `SAID ${last === undefined ? 'nothing' : textOf(last.content)}` }, null),
      chunk({}, 'stop'),
    ]
  }
  // 2026.9.6 hides most tools behind one that calls them by name.
  const hidden = !offered.includes(next.tool) && offered.includes('tool_call')
  const call = hidden
    ? { name: 'tool_call', arguments: JSON.stringify({ id: next.tool, args: JSON.parse(next.json) as unknown }) }
    : { name: next.tool, arguments: next.json }
  const id = `call_${Date.now().toString(36)}_${made}`
  return [
    chunk({ role: 'assistant', tool_calls: [{ index: 0, id, type: 'function', function: call }] }, null),
    chunk({}, 'tool_calls'),
  ]
}

function linesOf(text: string): readonly { readonly tool: string; readonly json: string }[] {
  return [...text.matchAll(/^\s*CALL (\S+) (\{.*\})\s*$/gm)].map(([, tool = '', json = '{}']) => ({ tool, json }))
}

function textOf(content: Message['content']): string {
  if (typeof content === 'string') return content
  return (content ?? []).map(({ text = '' }) => text).join('\n')
}
