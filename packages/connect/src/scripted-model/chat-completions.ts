import { randomUUID } from 'node:crypto'
import type { Asked, Heard, Turn } from './script.ts'

/** Behind this tool hosts hide others, which the model then names as an argument. */
const HIDING = 'tool_call'

/** Reads a request of OpenAI's chat completions. Only the host that we started writes it; what is not understood is empty. */
export function readChat(body: Readonly<Record<string, unknown>>): Asked {
  const given = Array.isArray(body.messages) ? (body.messages as readonly unknown[]) : []
  const rows = given.flatMap((each) => {
    if (typeof each !== 'object' || each === null) return []
    const { role, content, tool_calls: calls } = each as Readonly<Record<string, unknown>>
    return [
      {
        role: roleOf(role),
        text: textOf(content),
        calls: Array.isArray(calls) ? calls.length : 0,
        results: role === 'tool' ? [textOf(content)] : [],
      },
    ]
  })
  const tools = Array.isArray(body.tools) ? (body.tools as readonly { readonly function?: { readonly name?: unknown } }[]) : []
  return {
    model: typeof body.model === 'string' ? body.model : '',
    stream: body.stream === true,
    messages: rows,
    tools: tools.map((tool) => String(tool.function?.name)),
  }
}

function roleOf(role: unknown): Heard['role'] {
  if (role === 'developer') return 'system'
  return role === 'system' || role === 'assistant' || role === 'tool' ? role : 'user'
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content
    .map((part: unknown) =>
      typeof part === 'object' && part !== null && 'text' in part && typeof part.text === 'string' ? part.text : '',
    )
    .join('\n')
}

/** Says a turn in the chunks of chat completions, or as one document. Tools that the host hides are called by the tool that hides them. */
export function writeChat({ model, stream, tools }: Pick<Asked, 'model' | 'stream' | 'tools'>, turn: Turn): readonly string[] {
  const said = turn.flatMap((each) => ('say' in each ? [each.say] : [])).join('\n')
  const calls = turn.flatMap((each) => {
    if ('say' in each) return []
    const isHidden = !tools.includes(each.tool) && tools.includes(HIDING)
    const named = isHidden
      ? { name: HIDING, arguments: JSON.stringify({ id: each.tool, args: each.input }) }
      : { name: each.tool, arguments: JSON.stringify(each.input) }
    return [{ id: `call_${randomUUID().replaceAll('-', '').slice(0, 20)}`, type: 'function', function: named }]
  })
  const reason = calls.length > 0 ? 'tool_calls' : 'stop'
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
  const base = { id: `chatcmpl-${randomUUID()}`, created: 1, model }
  const message = { role: 'assistant', content: said === '' ? null : said, ...(calls.length > 0 ? { tool_calls: calls } : {}) }
  if (!stream) {
    return [
      JSON.stringify({ ...base, object: 'chat.completion', choices: [{ index: 0, message, finish_reason: reason }], usage }),
    ]
  }
  const chunk = (delta: object, finish: string | null): string =>
    `data: ${JSON.stringify({ ...base, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
  const delta = { ...message, ...(calls.length > 0 ? { tool_calls: calls.map((call, index) => ({ index, ...call })) } : {}) }
  return [chunk(delta, null), chunk({}, reason), 'data: [DONE]\n\n']
}
