import { isObject, type Json, type JsonObject } from '@tidegate/kernel'

/** An output as content of the protocol, and its data. */
export interface Rendered {
  readonly content: readonly JsonObject[]
  readonly structured: JsonObject | undefined
}

const KEYS = new Set(['content', 'structured'])

/**
 * Renders an output. That of an MCP server behind us (`content`: parts with a `kind`, and perhaps `structured`) becomes parts again; any
 * other is data, and its JSON is the text.
 */
export function renderOutput(output: Json): Rendered {
  const parts = partsOf(output)
  if (parts === undefined || !isObject(output))
    return { content: [{ type: 'text', text: textOf(output) }], structured: isObject(output) ? output : undefined }
  const { structured } = output
  const content = parts.map(renderPart)
  // The adapter leaves out a text that only repeats the data; clients that read no data need it.
  if (structured !== undefined && !content.some(({ type }) => type === 'text'))
    content.unshift({ type: 'text', text: textOf(structured) })
  return { content, structured: isObject(structured) ? structured : undefined }
}

/** The text of a value: itself, when it is one. */
export function textOf(output: Json): string {
  return typeof output === 'string' ? output : JSON.stringify(output)
}

/** The parts of an output that has parts; undefined for any other. */
function partsOf(output: Json): readonly JsonObject[] | undefined {
  if (!isObject(output) || !Array.isArray(output.content) || !Object.keys(output).every((key) => KEYS.has(key))) return undefined
  const parts = output.content as readonly Json[]
  return parts.every(isPart) ? parts : undefined
}

function isPart(part: Json): part is JsonObject {
  return isObject(part) && typeof part.kind === 'string'
}

function renderPart(part: JsonObject): JsonObject {
  const { kind, text, data, mimeType, uri, name, description } = part
  if (kind === 'text' && typeof text === 'string') return { type: 'text', text }
  if ((kind === 'image' || kind === 'audio') && typeof data === 'string' && typeof mimeType === 'string')
    return { type: kind, data, mimeType }
  if (kind === 'resource' && typeof uri === 'string' && typeof text === 'string')
    return { type: 'resource', resource: { uri, text, ...(typeof mimeType === 'string' ? { mimeType } : {}) } }
  if (kind === 'resource' && typeof uri === 'string' && typeof data === 'string')
    return { type: 'resource', resource: { uri, blob: data, ...(typeof mimeType === 'string' ? { mimeType } : {}) } }
  if (kind === 'resource_link' && typeof uri === 'string')
    return {
      type: 'resource_link',
      uri,
      name: typeof name === 'string' ? name : uri,
      ...(typeof description === 'string' ? { description } : {}),
      ...(typeof mimeType === 'string' ? { mimeType } : {}),
    }
  // What is too large to pass on is still said to be there.
  return { type: 'text', text: JSON.stringify(part) }
}
