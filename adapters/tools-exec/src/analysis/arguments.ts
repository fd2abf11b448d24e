import { dropText, type Field, prefixOf, textOf } from './field.ts'
import type { Program, Role } from './program.ts'

export interface GivenOption {
  readonly name: string
  /** Null for a flag. */
  readonly value: Field | null
  readonly role: Role | null
}

/** The arguments of a program, told apart. */
export interface GivenArguments {
  readonly options: readonly GivenOption[]
  readonly operands: readonly Field[]
  /** Commands that stand as words after an option, as in `find -exec`. */
  readonly commands: readonly (readonly Field[])[]
  /** Arguments that look like options, and that nothing is known about. */
  readonly unknown: readonly Field[]
}

const cache = new WeakMap<Program, ReadonlyMap<string, Role>>()

function rolesOf(program: Program): ReadonlyMap<string, Role> {
  const known = cache.get(program)
  if (known !== undefined) return known
  const roles = new Map<string, Role>()
  for (const [role, names] of Object.entries(program.takes ?? {})) {
    // The keys of `takes` are roles: the type of the table says so.
    for (const name of names.split(/\s+/)) roles.set(name, role as Role)
  }
  cache.set(program, roles)
  return roles
}

/** Tells options from operands, by the grammar of the program. What is not known to take a value takes none. */
export function readArguments(program: Program, args: readonly Field[]): GivenArguments {
  const roles = rolesOf(program)
  const options: GivenOption[] = []
  const operands: Field[] = []
  const commands: (readonly Field[])[] = []
  const unknown: Field[] = []
  const style = program.style ?? 'gnu'
  let ended = style === 'none'
  for (let at = 0; at < args.length; at++) {
    const field = args[at] ?? []
    const source = prefixOf(field)
    if (ended || !isOption(source, field, style)) {
      operands.push(field)
      if (style === 'posix') ended = true
      continue
    }
    if (textOf(field) === '--') {
      ended = true
      continue
    }
    const found = optionsOf(source, field, style, roles)
    for (const option of found) {
      const paired = option.value === null ? namedRole(program, option.name) : null
      if (paired !== null) {
        at += 2
        options.push({ name: option.name, role: paired, value: args[at] ?? [] })
        continue
      }
      if (option.role === 'argv') {
        const end = endOfCommand(args, at + 1, style)
        commands.push(args.slice(at + 1, end))
        at = end
      } else if (option.role !== null && option.value === null) {
        at++
        options.push({ ...option, value: args[at] ?? [] })
        continue
      }
      options.push(option)
      if (option.role === null) unknown.push(field)
    }
  }
  return { options, operands, commands, unknown }
}

function namedRole({ named }: Program, name: string): Role | null {
  // The keys of `named` are roles: the type of the table says so.
  for (const [role, names] of Object.entries(named ?? {})) if (names.split(' ').includes(name)) return role as Role
  return null
}

function isOption(source: string, field: Field, style: string): boolean {
  if (textOf(field) === '-') return false
  return source.startsWith('-') || (source.startsWith('+') && style === 'words')
}

function optionsOf(source: string, field: Field, style: string, roles: ReadonlyMap<string, Role>): readonly GivenOption[] {
  const equals = source.indexOf('=')
  if (source.startsWith('+')) return [{ name: '+', value: dropText(field, 1), role: roles.get('+') ?? null }]
  if (style === 'words' || source.startsWith('--')) {
    const name = equals === -1 ? source : source.slice(0, equals)
    const role = roles.get(name) ?? (style === 'words' ? null : abbreviated(name, roles))
    const value = equals === -1 ? null : dropText(field, equals + 1)
    if (style === 'words' && role === null) return glued(source, field, roles) ?? [{ name, value, role }]
    return [{ name, value, role }]
  }
  return clusterOf(source, field, roles)
}

/** `-I/usr/include`: a one-letter option with its value in the same word, where options are words. */
function glued(source: string, field: Field, roles: ReadonlyMap<string, Role>): readonly GivenOption[] | null {
  const name = source.slice(0, 2)
  const role = roles.get(name)
  return role === undefined || source.length < 3 ? null : [{ name, value: dropText(field, 2), role }]
}

function clusterOf(source: string, field: Field, roles: ReadonlyMap<string, Role>): readonly GivenOption[] {
  const found: GivenOption[] = []
  for (let at = 1; at < source.length; at++) {
    const name = `-${source.charAt(at)}`
    const role = roles.get(name) ?? null
    if (role === null) {
      found.push({ name, value: null, role })
      continue
    }
    const isLast = at === source.length - 1 && textOf(field) !== null
    found.push({ name, value: isLast ? null : dropText(field, at + 1), role })
    break
  }
  return found
}

/** Long options may be cut short as long as they are unique; we take any that fits. */
function abbreviated(name: string, roles: ReadonlyMap<string, Role>): Role | null {
  if (name.length < 4) return null
  for (const [known, role] of roles) if (known.startsWith(name)) return role
  return null
}

function endOfCommand(args: readonly Field[], from: number, style: string): number {
  if (style !== 'words') return args.length
  for (let at = from; at < args.length; at++) {
    const word = textOf(args[at] ?? [])
    if (word === ';' || (word === '+' && textOf(args[at - 1] ?? []) === '{}')) return at
  }
  return args.length
}

/** True when an option was given, under this name or one of these. */
export function isGiven({ options }: GivenArguments, names: string): boolean {
  const wanted = names.split(' ')
  return options.some(({ name }) =>
    wanted.some((known) => name === known || (name.length > 4 && known.startsWith(name) && known.startsWith('--'))),
  )
}
