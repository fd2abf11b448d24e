import { isObject, type Json, type JsonObject, type Operation } from '@tidegate/kernel'
import { defineTool } from '@tidegate/tools'
import { MORE } from './declare.ts'
import { OPERATIONS } from './operations.ts'
import { type Chosen, NAMES } from './tool-names.ts'

/** Which operation a call of OpenClaw is, and its arguments as that operation takes them. */
export interface OpenClawBinding {
  readonly kind: 'openclaw'
  /** Never throws; a call that is none of those that are known is `openclaw.other`. */
  operationOf(
    tool: string,
    args: Json,
    context: { readonly cwd?: string },
  ): { readonly operation: string; readonly arguments: Json }
}

/** The tools that OpenClaw brings itself: what they are called there, and what they are. */
export interface OpenClawTools {
  readonly binding: OpenClawBinding
  readonly operations: readonly Operation[]
}

/**
 * Declares the own tools of OpenClaw 2026.5.7 and 2026.9.6.
 *
 * The arguments of an operation are those of the tool; what it does not declare stands under `_more`. What nobody classified is `other`, with
 * the name of the tool and all of its arguments. The plugin takes both apart again before it hands back what was decided on.
 */
export function hostTools(): OpenClawTools {
  const { operations } = defineTool({ name: 'openclaw', title: 'OpenClaw', operations: OPERATIONS })
  const byId = new Map(operations.map((operation) => [operation.id, operation]))
  return {
    binding: {
      kind: 'openclaw',
      operationOf(tool, args) {
        const known = choose(tool, args)
        const declared = known === undefined ? undefined : byId.get(known.operation)
        const given = known === undefined || declared === undefined ? undefined : sorted(known.arguments, declared)
        const accepted = given !== undefined && declared?.input.parse(given).ok === true
        return accepted
          ? { operation: declared.id, arguments: given }
          : { operation: 'openclaw.other', arguments: { tool, arguments: args } }
      },
    },
    operations,
  }
}

/** Declared arguments under their names, all others under one. */
function sorted(args: JsonObject, { input }: Operation): JsonObject | undefined {
  if (Object.hasOwn(args, MORE)) return undefined
  const { properties = {} } = input.jsonSchema
  const isDeclared = ([name]: readonly [string, Json]): boolean => isObject(properties) && Object.hasOwn(properties, name)
  const entries = Object.entries(args)
  const more = entries.filter((entry) => !isDeclared(entry))
  return { ...Object.fromEntries(entries.filter(isDeclared)), ...(more.length === 0 ? {} : { [MORE]: Object.fromEntries(more) }) }
}

function choose(tool: string, args: Json): { readonly operation: string; readonly arguments: JsonObject } | undefined {
  const name = tool.trim().toLowerCase()
  const chosen: Chosen | undefined = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined
  if (chosen === undefined || !isObject(args)) return undefined
  const verb = typeof chosen === 'string' ? chosen : chosen(args)
  const given = PATHS.has(verb) ? withPath(args) : args
  return given === undefined ? undefined : { operation: `openclaw.${verb}`, arguments: given }
}

const PATHS = new Set(['read', 'write', 'edit', 'ls'])
/** What models that learned other agents call the path: OpenClaw understands them, so that they must not hide it from us. */
const ALIASES = ['file_path', 'filePath', 'file', 'filename']

/** The path under its own name. Undefined when it stands there twice: which one OpenClaw takes is not ours to guess. */
function withPath(args: JsonObject): JsonObject | undefined {
  const names = ['path', ...ALIASES].filter((name) => Object.hasOwn(args, name))
  const [name] = names
  if (names.length > 1) return undefined
  if (name === undefined || name === 'path') return args
  const { [name]: path, ...rest } = args
  return { ...rest, ...(path === undefined ? {} : { path }) }
}
