/** What a category says, and whether policy should stop to think when it sees it. */
export interface CategoryMeaning {
  /** False for what is only told: such a command is still an ordinary one. */
  readonly cautious: boolean
  readonly meaning: string
}

/** Every category of a command, a closed list: policies name them. */
export const CATEGORIES = {
  'network-client': { cautious: true, meaning: 'runs a program, or opens a file, that talks to other machines' },
  'network-server': { cautious: true, meaning: 'listens for others' },
  'remote-shell': { cautious: true, meaning: 'opens a shell elsewhere, or ties a shell to a connection' },
  container: { cautious: true, meaning: 'speaks to a container engine or a cluster' },
  'package-install': { cautious: true, meaning: 'fetches and installs the code of others' },
  'interpreter-inline': { cautious: true, meaning: 'hands program text to an interpreter, which nobody here reads' },
  privilege: { cautious: true, meaning: 'changes the user, the namespaces or the rights it runs with' },
  'credential-path': { cautious: true, meaning: 'touches a place where credentials are kept' },
  'system-path': { cautious: true, meaning: 'touches the configuration or state of the machine' },
  'proc-path': { cautious: true, meaning: 'touches what the kernel shows of other programs' },
  'device-path': { cautious: true, meaning: 'touches a device' },
  'outside-path': { cautious: true, meaning: 'touches a place outside of the workspace' },
  'dynamic-path': { cautious: true, meaning: 'reads or writes a file whose name is known only when it runs' },
  'agent-config': { cautious: true, meaning: 'touches the configuration of an agent, or ours' },
  persistence: { cautious: true, meaning: 'leaves something behind that runs later by itself' },
  'execution-hook': { cautious: true, meaning: 'sets a variable or an option that makes another program run something' },
  'shell-escape': { cautious: true, meaning: 'uses an editor, pager or tool to start a command' },
  obfuscated: { cautious: true, meaning: 'hides what it does: decodes, builds or disguises its words' },
  'process-control': { cautious: true, meaning: 'stops or inspects other programs, or changes services' },
  destructive: { cautious: true, meaning: 'destroys what an undo of the workspace cannot bring back' },
  'history-rewrite': { cautious: true, meaning: 'rewrites history that others may have, or deletes it for good' },
  'unknown-program': { cautious: true, meaning: 'runs a program that nothing is known about' },
  'inline-code': {
    cautious: false,
    meaning: 'hands program text to an interpreter; it was read, and works on files by names that stand in it',
  },
  'workspace-code': { cautious: false, meaning: 'runs code that lies in the workspace' },
  'temp-path': { cautious: false, meaning: 'touches the temporary folder' },
  'log-path': { cautious: false, meaning: 'reads logs of the machine' },
  'software-path': { cautious: false, meaning: 'reads installed software or facts about the machine that everybody may read' },
  'dynamic-argument': { cautious: false, meaning: 'has arguments that are known only when it runs' },
} as const satisfies Record<string, CategoryMeaning>

export type Category = keyof typeof CATEGORIES

/** Why a command is not understood, a closed list. One of these is enough: nothing is allowed on the strength of the rest. */
export const REASONS = [
  'too-long',
  'nul-byte',
  'not-utf8',
  'unparsable',
  'too-deep',
  'too-much-work',
  'dynamic-program',
  'dynamic-script',
  'unsupported-syntax',
] as const

export type Reason = (typeof REASONS)[number]

export type Reach = 'local' | 'network' | 'unknown'
export type Mutability = 'read' | 'write' | 'destructive'

/** What kind of place a path is, before links are resolved. */
export type PathClass =
  | 'workspace'
  | 'system'
  | 'software'
  | 'logs'
  | 'proc'
  | 'devices'
  | 'credentials'
  | 'agent-config'
  | 'persistence'
  | 'home'
  | 'temp'
  | 'other'

/** `list`: only the names in a folder, said in the sandbox alone. */
export type PathAccess = 'read' | 'write' | 'execute' | 'enter' | 'list'

/** A place that a command names. `exact` is false when the path is only a pattern or a beginning. */
export interface TouchedPath {
  /** Absolute, without `.` and `..`; links are not resolved. */
  readonly path: string
  readonly access: PathAccess
  readonly class: PathClass
  readonly exact: boolean
}

/** A word as far as it is known. */
export type KnownWord =
  | { readonly kind: 'static'; readonly text: string }
  /** `pattern` has `*` where something unknown stands. */
  | { readonly kind: 'dynamic'; readonly pattern: string }

export interface RedirectionFact {
  readonly access: 'read' | 'write' | 'append' | 'both'
  readonly target: KnownWord
}

/** One simple command, wherever it was found. */
export interface SimpleCommand {
  /** The program as written after expansion; null when only the running shell will know. */
  readonly program: string | null
  /** The name that the program is known by: `curl` for `/usr/bin/curl`, `python` for `python3.11`; null when unknown. */
  readonly base: string | null
  readonly arguments: readonly KnownWord[]
  readonly redirections: readonly RedirectionFact[]
  readonly assignments: readonly string[]
  /** The programs that start it, outermost first: `['sudo', 'xargs']`. */
  readonly via: readonly string[]
}

/** What a command text is made of, over all ways that it may take. */
export interface CommandFacts {
  readonly understood: boolean
  readonly reasons: readonly Reason[]
  readonly reach: Reach
  readonly mutability: Mutability
  readonly categories: readonly Category[]
  /** Base names of all programs, `unknown` among them when one is. */
  readonly programs: readonly string[]
  /** Names of variables that change what programs do, when the command sets them. */
  readonly variables: readonly string[]
  readonly paths: readonly TouchedPath[]
  readonly commands: readonly SimpleCommand[]
}

/** Where a command would run. All three are absolute paths. */
export interface AnalysisContext {
  readonly cwd: string
  readonly workspace: string
  readonly home: string
  /**
   * True when it runs in the sandbox: no network, no programs but its own, nothing of the machine but installed ones, and files of the workspace. What only that makes
   * harmless is cautious without it: stopping programs, listing the root, program text that was read.
   */
  readonly sandbox?: boolean
  /** The variables that the shell starts with, as far as they are known. */
  readonly env?: Readonly<Record<string, string>>
}

/** Says whether a command is anything but ordinary: not understood, of unknown reach, or in a category that is cautious. */
export function isCautious(facts: CommandFacts): boolean {
  return !facts.understood || facts.reach !== 'local' || facts.categories.some((category) => CATEGORIES[category].cautious)
}
