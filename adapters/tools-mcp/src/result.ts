import type { Answer } from './output.ts'

/** A result of `tools/call`, as far as it is understood. */
export type ToolResult =
  | { readonly kind: 'complete'; readonly answer: Answer; readonly isError: boolean }
  | { readonly kind: 'input_required' }

type Fields = { readonly [key: string]: unknown }

/** Results of other methods: one of these is not an empty success of ours. */
const FOREIGN = ['task', 'inputRequests', 'requestState']

/**
 * Reads the result of a call for its form, as the revision defines it; undefined for anything else. The server controls all of it. What is
 * inside of texts and data is looked at later, with limits.
 */
export function readResult(result: Fields, { isModern }: { readonly isModern: boolean }): ToolResult | undefined {
  const { resultType, content, structuredContent, isError, _meta } = result
  if (isModern && resultType === 'input_required') return asksForInput(result) ? { kind: 'input_required' } : undefined
  if (isModern && resultType !== 'complete') return undefined
  if (_meta !== undefined && !isFields(_meta)) return undefined
  if (isError !== undefined && typeof isError !== 'boolean') return undefined
  if (!isModern && structuredContent !== undefined && !isFields(structuredContent)) return undefined
  const blocks = content === undefined && !isModern && !FOREIGN.some((key) => key in result) ? [] : content
  if (!Array.isArray(blocks) || !blocks.every(isBlock)) return undefined
  return { kind: 'complete', answer: { content: blocks, structured: structuredContent }, isError: isError === true }
}

function asksForInput({ inputRequests, requestState }: Fields): boolean {
  return typeof requestState === 'string' || (isFields(inputRequests) && Object.keys(inputRequests).length > 0)
}

function isBlock(block: unknown): boolean {
  if (!isFields(block)) return false
  switch (block.type) {
    case 'text':
      return typeof block.text === 'string'
    case 'image':
    case 'audio':
      return isBase64(block.data) && typeof block.mimeType === 'string'
    case 'resource':
      return isResource(block.resource)
    case 'resource_link':
      return typeof block.uri === 'string' && typeof block.name === 'string'
    default:
      return false
  }
}

function isResource(resource: unknown): boolean {
  return isFields(resource) && typeof resource.uri === 'string' && (typeof resource.text === 'string' || isBase64(resource.blob))
}

function isBase64(data: unknown): boolean {
  if (typeof data !== 'string') return false
  try {
    atob(data)
    return true
  } catch {
    return false
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
