import type { AnalysisContext, Category, PathAccess, PathClass } from './facts.ts'
import type { Field } from './field.ts'
import { EMPTY_DEVICES, ENVIRONMENT_FILE, HARMLESS, HARMLESS_INSIDE, NAMED_PLACES, PREFIXES } from './path-table.ts'

/** The absolute path without `.`, `..` and doubled slashes. Says where a name leads when no link is on the way. */
export function absolutePath(path: string, cwd: string): string {
  const parts: string[] = []
  for (const part of (path.startsWith('/') ? path : `${cwd}/${path}`).split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}

export function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)
}

/** True for `/dev/null` and its like, and for the ends of pipes that are open already. */
export function isEmptyDevice(path: string): boolean {
  return EMPTY_DEVICES.has(path) || /^\/dev\/fd\/\d+$/.test(path)
}

type Places = Pick<AnalysisContext, 'workspace' | 'home' | 'sandbox'>

/** What kind of place an absolute path is. Names of credentials and of agents count before everything else, also in the workspace. */
export function classifyPath(path: string, access: PathAccess, places: Places): PathClass {
  if (HARMLESS.has(path) || (places.sandbox === true && HARMLESS_INSIDE.has(path)))
    return access === 'write' ? 'system' : 'software'
  // Above the workspace is the root of the sandbox, which looks the same everywhere.
  if (access === 'list' && isBelow(places.workspace, path)) return path === places.workspace ? 'workspace' : 'software'
  const named = classifyNames(path.split('/').slice(1), access, (part, name) => part === name)
  if (named !== null) return named
  if (isBelow(path, places.workspace)) return 'workspace'
  if (places.home !== '/' && isBelow(path, places.home)) return 'home'
  for (const [prefix, kind] of PREFIXES) if (isBelow(path, prefix)) return kind
  return path === '/' ? 'system' : 'other'
}

function classifyNames(
  parts: readonly string[],
  access: PathAccess,
  fits: (part: string, name: string) => boolean,
): PathClass | null {
  for (const { kind, names, when } of NAMED_PLACES) {
    if (when === 'write' && access !== 'write') continue
    for (let at = 0; at + names.length <= parts.length; at++)
      if (names.every((name, index) => fits(parts[at + index] ?? '', name))) return kind
  }
  return access !== 'write' && parts.some((part) => ENVIRONMENT_FILE.test(part)) ? 'credentials' : null
}

/** The beginning that stands for "anything at all, in any folder" in a pattern. */
const ANYTHING = '\ue000'

/** What kinds of place a word with unknown pieces may be, the worst of them. Null when it may be anything, and says nothing. */
export function classifyPattern(field: Field, access: PathAccess, cwd: string, places: Places): PathClass | null {
  const raw = field.map((piece) => (piece.kind === 'text' ? piece.text : piece.kind === 'glob' ? '\ue001' : ANYTHING)).join('')
  if (raw.startsWith(ANYTHING)) return null
  // A pattern in front of the first slash does not begin with one: it is relative, and a leading dot is never matched by it.
  const parts = absolutePath(raw, cwd).split('/').slice(1)
  const cut = parts.findIndex((part) => part.includes(ANYTHING))
  const known = cut === -1 ? parts : parts.slice(0, cut + 1)
  const named = classifyNames(known, access, resembles)
  if (named !== null) return named
  const below = (folder: string) => mayBeBelow(known, folder)
  if (isBelow(`/${known.filter((part) => !isPattern(part)).join('/')}`, places.workspace) && below(places.workspace))
    return 'workspace'
  const hits = PREFIXES.filter(([prefix]) => below(prefix)).map(([, kind]) => kind)
  const home = places.home.split('/').slice(1)
  if (places.home !== '/' && home.every((name, index) => known[index] === name)) return 'home'
  return (
    (['system', 'proc', 'devices', 'other', 'logs', 'software', 'temp'] as const).find((kind) => hits.includes(kind)) ?? 'other'
  )
}

function isPattern(part: string): boolean {
  return part.includes('\ue001') || part.includes(ANYTHING)
}

function mayBeBelow(parts: readonly string[], folder: string): boolean {
  const names = folder.split('/').slice(1)
  for (const [index, name] of names.entries()) {
    const part = parts[index]
    if (part === undefined) return false
    if (!fitsPattern(part, name)) return false
    if (part.includes(ANYTHING)) return true
  }
  return true
}

/**
 * Matches a component against a name that is special wherever it stands. A pattern must say something of the name, or every `*.json`
 * would be a credential; for hidden names any pattern that begins with a dot does.
 */
function resembles(part: string, name: string): boolean {
  if (!fitsPattern(part, name)) return false
  if (!isPattern(part) || (name.startsWith('.') && part.startsWith('.'))) return true
  const known = part.replace(/[\ue000\ue001]/g, '').length
  return isPattern(part.charAt(0)) ? known * 3 >= name.length * 2 : known * 2 >= name.length
}

/** Matches a component with wildcards against a name; a wildcard alone matches no hidden name, as in the shell. */
function fitsPattern(part: string, name: string): boolean {
  if (!isPattern(part)) return part === name
  if (name.startsWith('.') && !part.startsWith('.')) return false
  const pieces = part.split(/[\ue000\ue001]/)
  if (pieces.every((piece) => piece === '')) return true
  let at = 0
  for (const [index, piece] of pieces.entries()) {
    const found = index === 0 ? (name.startsWith(piece) ? 0 : -1) : name.indexOf(piece, at)
    if (found === -1) return false
    at = found + piece.length
  }
  return (pieces.at(-1) ?? '') === '' || name.endsWith(pieces.at(-1) ?? '') || part.endsWith(ANYTHING)
}

/** The categories that touching a place brings with it. */
export function categoriesOf(kind: PathClass, access: PathAccess): readonly Category[] {
  if (access === 'write' && (kind === 'software' || kind === 'logs')) return ['system-path']
  return CATEGORY_OF[kind]
}

const CATEGORY_OF: Readonly<Record<PathClass, readonly Category[]>> = {
  workspace: [],
  system: ['system-path'],
  software: ['software-path'],
  logs: ['log-path'],
  proc: ['proc-path'],
  devices: ['device-path'],
  credentials: ['credential-path'],
  'agent-config': ['agent-config'],
  persistence: ['persistence'],
  home: ['outside-path'],
  temp: ['temp-path'],
  other: ['outside-path'],
}
