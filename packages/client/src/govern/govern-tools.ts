import { governCall, type GovernOptions } from './govern-call.ts'

/** A tool of the Vercel AI SDK, as far as it matters here. Tools without `execute` are made elsewhere and stay as they are. */
export interface ExecutableTool {
  readonly description?: unknown
  // biome-ignore lint/suspicious/noExplicitAny: the types of each tool's own input and output stay those of the tool
  readonly execute?: ((input: any, options: any) => unknown) | undefined
}

/** A tool of LangChain, as `tool()` makes it, as far as it matters here. */
export interface FunctionTool {
  readonly name: string
  // biome-ignore lint/suspicious/noExplicitAny: the types of each tool's own input and output stay those of the tool
  func(input: any, runManager?: any, config?: any): unknown
}

/**
 * Governs a set of tools of the Vercel AI SDK: the same tools, each of whose calls Tidegate decides before it is made. The name of a tool
 * in the set is its name in policy. A refusal is thrown, which the SDK tells the model.
 */
export function governTools<T extends Readonly<Record<string, ExecutableTool>>>(tools: T, options: GovernOptions): T {
  const governed = Object.entries(tools).map(([name, each]) => {
    const { execute } = each
    if (execute === undefined) return [name, each] as const
    const governedExecute = (input: unknown, extra: unknown): Promise<unknown> => {
      const call = { tool: name, arguments: argumentsOf(input), call: textAt(extra, 'toolCallId') }
      return governCall(options, call, (args) => whole(execute.call(each, args, extra)))
    }
    return [name, { ...each, execute: governedExecute }] as const
  })
  return Object.fromEntries(governed) as T // sound: the same names with the same tools, but for who decides
}

/**
 * Governs a tool of LangChain: the same tool, each of whose calls Tidegate decides before it is made. A refusal is thrown, which an agent
 * tells the model.
 */
export function governTool<T extends FunctionTool>(tool: T, options: GovernOptions): T {
  const func = (input: unknown, runManager?: unknown, config?: unknown): Promise<unknown> => {
    const call = { tool: tool.name, arguments: argumentsOf(input), call: textAt(objectAt(config, 'toolCall'), 'id') }
    return governCall(options, call, async (args) => tool.func(isRecord(input) ? args : args.input, runManager, config))
  }
  // The tool keeps its class: agents ask for it.
  const own = Object.getOwnPropertyDescriptors(tool)
  return Object.create(Object.getPrototypeOf(tool), {
    ...own,
    func: { value: func, writable: true, enumerable: true, configurable: true },
  }) as T // sound: the same object but for one function
}

/** The last of what a tool yields is its result; what comes before are previews of it. */
async function whole(result: unknown): Promise<unknown> {
  const value = await result
  if (typeof value !== 'object' || value === null || !(Symbol.asyncIterator in value)) return value
  let last: unknown
  for await (const each of value as AsyncIterable<unknown>) last = each
  return last
}

/** A tool may take one plain value. */
function argumentsOf(input: unknown): Readonly<Record<string, unknown>> {
  return isRecord(input) ? input : { input }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function objectAt(value: unknown, key: string): unknown {
  return isRecord(value) ? value[key] : undefined
}

function textAt(value: unknown, key: string): string | undefined {
  const text = objectAt(value, key)
  return typeof text === 'string' && text !== '' && text.length <= 200 ? text : undefined
}
