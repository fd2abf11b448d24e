import { realpathSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { isObject, type Json, type JsonObject, SANDBOX_WORKSPACE, type Shape, type ShapeIssue } from '@tidegate/kernel'
import { analyse, type CommandFacts, commandFactsJson, isCautious, resolvePaths } from './analysis/index.ts'

/** What kind of command it is, by what it runs: one that only looks, an ordinary one, or one that a person should look at. */
export type CommandKind = 'look' | 'exec' | 'reach'

/** The longest command in characters. */
const MAX_COMMAND = 1_048_576
const MAX_TIMEOUT_MS = 600_000
/** So many paths are followed through links. */
const MAX_PATHS = 64

/** Reads a command as it would run in the sandbox; links of the workspace are followed. */
export function readCommand(command: string, workspace: string, cwd = SANDBOX_WORKSPACE): CommandFacts {
  const context = { cwd, workspace: SANDBOX_WORKSPACE, home: SANDBOX_WORKSPACE, sandbox: true }
  const facts = analyse(command, context)
  const links = new Map<string, string>()
  for (const { path, exact } of facts.paths.slice(0, MAX_PATHS)) {
    if (!exact || !(path === SANDBOX_WORKSPACE || path.startsWith(`${SANDBOX_WORKSPACE}/`))) continue
    const real = realPlace(path, workspace)
    if (real !== path) links.set(path, real)
  }
  return links.size === 0 ? facts : resolvePaths(facts, links, context)
}

/** Where a path of the sandbox leads, seen from inside; a place outside of the workspace as it is called outside. */
function realPlace(path: string, workspace: string): string {
  const outside = join(workspace, path.slice(SANDBOX_WORKSPACE.length))
  const root = resolved(workspace)
  const real = resolved(outside)
  const below = relative(root, real)
  if (below === '') return SANDBOX_WORKSPACE
  return below === '..' || below.startsWith(`..${sep}`) ? real : `${SANDBOX_WORKSPACE}/${below}`
}

/** The real path of what is there, with the rest of what is not. */
function resolved(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    const above = dirname(path)
    return above === path ? path : join(resolved(above), path.slice(above.length + 1))
  }
}

/** What the arguments say about a command. */
export function kindOf(facts: CommandFacts): CommandKind {
  if (isCautious(facts)) return 'reach'
  return facts.mutability === 'read' ? 'look' : 'exec'
}

/**
 * The arguments of a command. Their normal form holds what the command was understood to do, so that this is decided on, recorded and part
 * of the digest: a link that leads elsewhere by the time it runs makes it another action (I2).
 */
export function commandShape(workspace: string, kind: CommandKind | 'any'): Shape {
  return {
    jsonSchema: schemaOf(),
    parse(value) {
      const issues = problemsOf(value)
      if (issues.length > 0 || !isObject(value)) return { ok: false, issues }
      const { command, cwd = SANDBOX_WORKSPACE, timeoutMs = 0 } = value
      const facts = readCommand(String(command), workspace, String(cwd))
      if (kind !== 'any' && !accepts(kind, kindOf(facts)))
        return { ok: false, issues: [{ path: '/command', message: TOO_MUCH[kind] }] }
      return { ok: true, value: { command: command ?? '', cwd, timeoutMs, facts: commandFactsJson(facts) } }
    },
  }
}

const ORDER = { look: 0, exec: 1, reach: 2 } as const
const TOO_MUCH = {
  look: 'is not a command that only looks, as far as it can be understood',
  exec: 'reaches further than an ordinary command, or cannot be understood',
  reach: '',
} as const

function accepts(kind: CommandKind, is: CommandKind): boolean {
  return ORDER[is] <= ORDER[kind]
}

function problemsOf(value: Json): readonly ShapeIssue[] {
  if (!isObject(value)) return [{ path: '', message: 'expected an object' }]
  const { command, cwd, timeoutMs } = value
  const issues: ShapeIssue[] = []
  if (typeof command !== 'string' || command.trim() === '') issues.push({ path: '/command', message: 'expected a command' })
  else if (command.length > MAX_COMMAND) issues.push({ path: '/command', message: `expected at most ${MAX_COMMAND} characters` })
  else if (command.includes('\u0000')) issues.push({ path: '/command', message: 'holds a NUL character' })
  if (cwd !== undefined && (typeof cwd !== 'string' || cwd.length > 4_096 || cwd.includes('\u0000')))
    issues.push({ path: '/cwd', message: 'expected a directory of the workspace' })
  if (
    timeoutMs !== undefined &&
    (!Number.isSafeInteger(timeoutMs) || Number(timeoutMs) < 0 || Number(timeoutMs) > MAX_TIMEOUT_MS)
  )
    issues.push({ path: '/timeoutMs', message: `expected 0 to ${MAX_TIMEOUT_MS}` })
  const known = ['command', 'cwd', 'timeoutMs', 'facts'] // facts are made anew, whatever is given
  const strange = Object.keys(value).filter((name) => !known.includes(name))
  return [...issues, ...strange.map((name) => ({ path: `/${name.slice(0, 60)}`, message: 'is not known' }))]
}

const TEXTS = { type: 'array', items: { type: 'string' } }
const LISTS = ['categories', 'reasons', 'programs', 'variables', 'pathClasses', 'writes', 'via']

function schemaOf(): JsonObject {
  const facts = {
    type: 'object',
    readOnly: true,
    description: 'What the command was understood to do. Filled in by Tidegate.',
    properties: {
      understood: { type: 'boolean' },
      cautious: { type: 'boolean' },
      reach: { type: 'string' },
      mutability: { type: 'string' },
      ...Object.fromEntries(LISTS.map((name) => [name, TEXTS] as const)),
    },
    required: ['understood', 'cautious', 'reach', 'mutability', ...LISTS],
  }
  return {
    type: 'object',
    properties: {
      command: { type: 'string', description: 'A command for bash.' },
      cwd: { type: 'string', description: `A directory below ${SANDBOX_WORKSPACE}; that itself unless told.` },
      timeoutMs: { type: 'integer', minimum: 0, maximum: MAX_TIMEOUT_MS, description: '0 for the usual time.' },
      facts,
    },
    required: ['command'],
    additionalProperties: false,
  }
}
