import type { OwnTool } from '@tidegate/connect'
import type { ListedTool } from './mcp-speaker.ts'

/** Our tool for commands: what only prints is harmless there. */
const SHELL = 'shell_exec'

/**
 * Finds harmless calls of our own operations: of the shell a command that prints, of others only what is declared to read and takes a
 * text. Whatever else there is is not called at all.
 */
export function ownToolsOf(listed: readonly ListedTool[]): readonly OwnTool[] {
  const tools = listed.map((tool): OwnTool => ({ name: tool.name, harmless: harmlessCall(tool) }))
  return tools.toSorted((a, b) => Number(b.name === SHELL) - Number(a.name === SHELL))
}

function harmlessCall({ name, inputSchema, readOnly }: ListedTool): OwnTool['harmless'] {
  if (name === SHELL) return (word) => ({ command: `echo ${word}` })
  if (!readOnly) return undefined
  const { properties, required } = inputSchema
  const needed = Array.isArray(required) ? required : []
  const isText = (key: string): boolean => {
    const property: unknown = typeof properties === 'object' && properties !== null ? Reflect.get(properties, key) : undefined
    return typeof property === 'object' && property !== null && 'type' in property && property.type === 'string'
  }
  const [first] = needed
  // One needed text and nothing else that is needed: more could only be guessed.
  return needed.length === 1 && typeof first === 'string' && isText(first) ? (word) => ({ [first]: word }) : undefined
}
