import type { Function as FunctionNode } from 'unbash'
import { EMPTY, type Field, joinValues, sameValue, text, type Value, unknown, widen } from './field.ts'

/** What is known of the running shell at one point of a text. Immutable: each change makes a new one. */
export interface State {
  readonly variables: ReadonlyMap<string, Value>
  /** Arrays by name; null for one that is not known. */
  readonly arrays: ReadonlyMap<string, readonly Field[] | null>
  readonly functions: ReadonlyMap<string, readonly FunctionNode[]>
  /** `$1`, `$2`...; null when they are not known. */
  readonly positional: readonly Field[] | null
  /** Where it may stand; null when that may be anywhere. */
  readonly cwds: readonly string[] | null
  readonly previous: readonly string[] | null
  /** What the standard input gives; null when nothing was said about it. */
  readonly stdin: Value | null
}

const MAX_PLACES = 8

export function startState(cwd: string): State {
  return {
    variables: new Map(),
    arrays: new Map(),
    functions: new Map(),
    positional: [],
    cwds: [cwd],
    previous: [cwd],
    stdin: null,
  }
}

export function assign(state: State, name: string, value: Value): State {
  const arrays = new Map(state.arrays)
  arrays.delete(name)
  return { ...state, arrays, variables: new Map(state.variables).set(name, value) }
}

export function assignArray(state: State, name: string, elements: readonly Field[] | null): State {
  const first: Value = elements === null ? [unknown('content')] : [elements[0] ?? []]
  return {
    ...state,
    arrays: new Map(state.arrays).set(name, elements),
    variables: new Map(state.variables).set(name, first),
  }
}

/** The state after either of two ways. What is set in one of them only may be unset. */
export function joinStates(left: State, right: State): State {
  if (left === right) return left
  return {
    variables: joinMaps(left.variables, right.variables, (a, b) => joinValues(a ?? EMPTY, b ?? EMPTY)),
    arrays: joinMaps(left.arrays, right.arrays, (a, b) => (a !== undefined && a === b ? a : null)),
    functions: joinMaps(left.functions, right.functions, (a, b) => [...new Set([...(a ?? []), ...(b ?? [])])]),
    positional: left.positional === right.positional ? left.positional : null,
    cwds: joinPlaces(left.cwds, right.cwds),
    previous: joinPlaces(left.previous, right.previous),
    stdin: left.stdin === right.stdin ? left.stdin : joinValues(left.stdin ?? EMPTY, right.stdin ?? EMPTY),
  }
}

/** Makes unknown what still changes from one round of a loop to the next. */
export function widenStates(before: State, after: State): State {
  const variables = new Map(after.variables)
  for (const [name, value] of after.variables) {
    const old = before.variables.get(name)
    if (old === undefined || !sameValue(old, value)) variables.set(name, widen([...(old ?? []), ...value]))
  }
  const cwds = before.cwds?.length === after.cwds?.length ? after.cwds : null
  return { ...after, variables, cwds }
}

function joinMaps<T>(
  left: ReadonlyMap<string, T>,
  right: ReadonlyMap<string, T>,
  join: (a: T | undefined, b: T | undefined) => T,
) {
  if (left === right) return left
  const all = new Map(left)
  for (const [name, value] of right) if (left.get(name) !== value) all.set(name, join(left.get(name), value))
  for (const [name, value] of left) if (!right.has(name)) all.set(name, join(value, undefined))
  return all
}

function joinPlaces(left: readonly string[] | null, right: readonly string[] | null): readonly string[] | null {
  if (left === right) return left
  if (left === null || right === null) return null
  const all = [...new Set([...left, ...right])]
  return all.length <= MAX_PLACES ? all : null
}

/** Variables of the shell itself whose values are short and say nothing: numbers, flags, versions. */
const TOKENS = new Set(
  `? # $ ! - RANDOM SECONDS LINENO UID EUID PPID BASHPID EPOCHSECONDS EPOCHREALTIME SRANDOM OPTIND BASH_VERSION BASH_VERSINFO
   BASH_SUBSHELL SHLVL COLUMNS LINES HOSTTYPE MACHTYPE OSTYPE HOSTNAME BASH_LINENO PIPESTATUS TERM SHELLOPTS BASHOPTS GROUPS HISTCMD`.split(
    /\s+/,
  ),
)

/** Variables of the shell itself that hold text which the command can choose. */
const CHOSEN = new Set(
  `_ BASH_REMATCH BASH_EXECUTION_STRING BASH_COMMAND BASH_ARGV BASH_ARGV0 BASH_SOURCE BASH_ALIASES BASH_CMDS DIRSTACK FUNCNAME OPTARG
   COMP_LINE COMP_WORDS COMP_WORDBREAKS READLINE_LINE COPROC PS0 PS4`.split(/\s+/),
)

/** What a variable may be. Without a list of the environment, a variable that nobody set is whatever the environment says. */
export function readVariable(
  state: State,
  name: string,
  context: {
    readonly home: string
    readonly env?: Readonly<Record<string, string>>
    /** What `${name:=value}` set on the way. */
    readonly defaults?: ReadonlyMap<string, Value>
  },
): Value {
  const known = state.variables.get(name)
  const byDefault = context.defaults?.get(name)
  if (byDefault !== undefined) return joinValues(known ?? EMPTY, byDefault)
  if (known !== undefined) return known
  if (/^[1-9]\d*$/.test(name)) {
    return state.positional === null ? [unknown('content')] : [state.positional[Number(name) - 1] ?? []]
  }
  if (name === '0') return [text('bash')]
  if (TOKENS.has(name)) return [unknown('token')]
  if (name === 'PWD') return placesAsValue(state.cwds)
  if (name === 'OLDPWD') return placesAsValue(state.previous)
  if (CHOSEN.has(name)) return [unknown('content')]
  const fixed = { HOME: context.home, IFS: ' \t\n', BASH: '/bin/bash', SHELL: '/bin/bash', ...context.env }[name]
  if (fixed !== undefined) return [text(fixed)]
  return context.env === undefined ? [unknown('environment')] : EMPTY
}

function placesAsValue(places: readonly string[] | null): Value {
  return places === null ? [unknown('content')] : places.map((place) => text(place))
}
