import type { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import type { LabelledText, ModelMessage, ModelRequest } from '@tidegate/kernel'
import type { ToolNames } from './tool-names.ts'

/** The SDK's chat model. */
export type ChatModel = ReturnType<ReturnType<typeof createOpenAICompatible>['chatModel']>

/** What the SDK's chat model is called with. */
export type ChatOptions = Parameters<ChatModel['doStream']>[0]

type ChatMessage = ChatOptions['prompt'][number]

/**
 * Writes a request in the words of the SDK. The wire has no place for labels: the texts of a message are joined.
 *
 * Arguments of earlier calls are sent as the model wrote them; the SDK wraps those that are not JSON into a JSON string, since
 * some endpoints refuse the conversation otherwise.
 */
export function composeChat(request: ModelRequest, names: ToolNames): ChatOptions {
  const system: ChatMessage[] = request.system === '' ? [] : [{ role: 'system', content: request.system }]
  return {
    prompt: [...system, ...request.messages.map((message) => composeMessage(message, names))],
    tools: request.tools.map(({ name, description, inputSchema }) => ({
      type: 'function',
      name: names.toWire(name),
      description,
      inputSchema: { ...inputSchema },
    })),
    maxOutputTokens: request.maxOutputTokens,
    ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
  }
}

function composeMessage(message: ModelMessage, names: ToolNames): ChatMessage {
  const text = join(message.content)
  switch (message.role) {
    case 'user':
      return { role: 'user', content: [{ type: 'text', text }] }
    case 'assistant': {
      const said = text === '' ? [] : [{ type: 'text' as const, text }]
      const calls = message.calls.map(({ callId, name, argumentsText }) => {
        return { type: 'tool-call' as const, toolCallId: callId, toolName: names.toWire(name), input: argumentsText }
      })
      return { role: 'assistant', content: [...said, ...calls] }
    }
    case 'tool': {
      const { callId, name } = message
      return {
        role: 'tool',
        content: [
          { type: 'tool-result', toolCallId: callId, toolName: names.toWire(name), output: { type: 'text', value: text } },
        ],
      }
    }
  }
}

function join(content: readonly LabelledText[]): string {
  return content.map(({ text }) => text).join('')
}
