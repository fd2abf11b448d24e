import type { Connector, Operation } from '@tidegate/kernel'
import type { z } from 'zod'
import { childPointer } from './plain-data.ts'
import { ToolsError } from './error.ts'

const DEFINED: unique symbol = Symbol.for('tidegate.tool')

/** A tool that was checked: what it declares, and the way to it. Made by `defineTool` and by nothing else. */
export interface Tool {
  readonly name: string
  readonly title: string
  readonly operations: readonly Operation[]
  readonly connector: Connector
  readonly [DEFINED]: true
}

/** What a tool file is given when it exports a function. Settings hold no secrets: those come through `call.secret`. */
export interface ToolContext {
  /** What the configuration says under `settings`: read it with {@link parseSettings}. */
  readonly settings: unknown
}

/** What a tool file may export as `tool`. */
export type ToolExport = Tool | ((context: ToolContext) => Tool)

/** Marks what was checked. */
export function markTool(tool: Omit<Tool, typeof DEFINED>): Tool {
  return Object.freeze({ ...tool, [DEFINED]: true as const })
}

/**
 * Makes a tool of what a module exports as `tool`: a tool, or a function that is called with the settings. `file` names the module
 * in errors.
 *
 * @throws ToolsError `tool_not_exported`, and whatever defining it throws.
 */
export function resolveTool(exported: unknown, { file, settings }: ToolContext & { readonly file: string }): Tool {
  // Sound: a function that is called with the one argument it was promised; what it returns is checked below.
  const made: unknown = typeof exported === 'function' ? (exported as (context: ToolContext) => unknown)({ settings }) : exported
  if (isTool(made)) return made
  const what = typeof exported === 'function' ? 'its function "tool" returns no tool' : 'it exports no tool'
  throw new ToolsError([
    { code: 'tool_not_exported', where: file, message: `${what}. Write: export const tool = defineTool({...}).` },
  ])
}

/**
 * Reads the settings of a tool.
 *
 * @throws ToolsError `tool_settings`, naming each setting that does not fit.
 */
export function parseSettings<Schema extends z.ZodType>(schema: Schema, settings: unknown, toolName: string): z.output<Schema> {
  const parsed = schema.safeParse(settings ?? {})
  if (parsed.success) return parsed.data
  const [first, ...rest] = parsed.error.issues.map((issue) => ({
    code: 'tool_settings' as const,
    where: `${toolName}.settings${issue.path.reduce<string>(childPointer, '')}`,
    message: `${issue.message}.`,
  }))
  const none = { code: 'tool_settings' as const, where: `${toolName}.settings`, message: 'do not fit.' }
  throw new ToolsError([first ?? none, ...rest])
}

function isTool(value: unknown): value is Tool {
  return typeof value === 'object' && value !== null && DEFINED in value
}
