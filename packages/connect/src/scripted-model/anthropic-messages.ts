import { randomUUID } from 'node:crypto'
import type { Asked, Heard, Turn } from './script.ts'

/** One event of a stream, as it is written. */
export type Written = string

interface Block {
  readonly type?: unknown
  readonly text?: unknown
  readonly content?: unknown
}

/** Reads a request of the Messages API. Only the host that we started writes it; what is not understood is empty. */
export function readMessages(body: Readonly<Record<string, unknown>>): Asked {
  const given = Array.isArray(body.messages) ? (body.messages as readonly unknown[]) : []
  const messages = given.flatMap((each): readonly Heard[] => {
    if (typeof each !== 'object' || each === null || !('role' in each)) return []
    const role = each.role === 'assistant' ? 'assistant' : 'user'
    const blocks = blocksOf('content' in each ? each.content : '')
    const calls = blocks.filter(({ type }) => type === 'tool_use').length
    const results = blocks.flatMap((block) => (block.type === 'tool_result' ? [JSON.stringify(block.content ?? '')] : []))
    return [{ role, text: textOf(blocks), calls, results }]
  })
  const system: Heard = { role: 'system', text: textOf(blocksOf(body.system)), calls: 0, results: [] }
  const tools = Array.isArray(body.tools) ? (body.tools as readonly { readonly name?: unknown }[]) : []
  return {
    model: typeof body.model === 'string' ? body.model : '',
    stream: body.stream === true,
    messages: [system, ...messages],
    tools: tools.map(({ name }) => String(name)),
  }
}

function blocksOf(content: unknown): readonly Block[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return Array.isArray(content) ? content.filter((block): block is Block => typeof block === 'object' && block !== null) : []
}

function textOf(blocks: readonly Block[]): string {
  return blocks.flatMap(({ type, text }) => (type === 'text' && typeof text === 'string' ? [text] : [])).join('\n')
}

/** Says a turn in the events of the Messages API, or as one document. */
export function writeMessages({ model, stream }: Pick<Asked, 'model' | 'stream'>, turn: Turn): readonly Written[] {
  const content = turn.map((said) =>
    'say' in said
      ? { type: 'text', text: said.say }
      : { type: 'tool_use', id: `toolu_${randomUUID().replaceAll('-', '').slice(0, 24)}`, name: said.tool, input: said.input },
  )
  const stop = content.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn'
  const message = {
    ...{ id: `msg_${randomUUID().replaceAll('-', '').slice(0, 24)}`, type: 'message', role: 'assistant', model, content },
    ...{ stop_reason: stop, stop_sequence: null, usage: { input_tokens: 1, output_tokens: 1 } },
  }
  if (!stream) return [JSON.stringify(message)]
  const event = (type: string, data: object): Written => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`
  return [
    event('message_start', { message: { ...message, content: [], stop_reason: null } }),
    ...content.flatMap((block, index) => {
      const isText = 'text' in block
      const delta = isText
        ? { type: 'text_delta', text: block.text }
        : { type: 'input_json_delta', partial_json: JSON.stringify(block.input) }
      return [
        event('content_block_start', { index, content_block: isText ? { type: 'text', text: '' } : { ...block, input: {} } }),
        event('content_block_delta', { index, delta }),
        event('content_block_stop', { index }),
      ]
    }),
    event('message_delta', { delta: { stop_reason: stop, stop_sequence: null }, usage: { output_tokens: 1 } }),
    event('message_stop', {}),
  ]
}
