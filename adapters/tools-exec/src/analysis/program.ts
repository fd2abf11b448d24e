import type { Category, Mutability, Reach } from './facts.ts'

/** The languages of program text that is handed over inline. */
export type Language =
  | 'shell'
  | 'python'
  | 'javascript'
  | 'perl'
  | 'awk'
  | 'sed'
  | 'sql'
  | 'gdb'
  | 'make'
  | 'vim'
  | 'ed'
  | 'c'
  | 'go'
  | 'java'
  | 'rust'
  | 'ruby'
  | 'php'
  | 'other'

/** What the value of an option, or an operand, means. */
export type Role =
  /** Words for people or patterns: never a path. */
  | 'text'
  /** Anything: taken as a path when it looks like one. */
  | 'scan'
  | 'read'
  | 'write'
  /** A place of which only the names are shown. */
  | 'list'
  /** A folder to work in. */
  | 'enter'
  /** A text for the shell. */
  | 'command'
  /** A text for the interpreter that this program is. */
  | 'code'
  /** A file with such a text. */
  | 'script'
  /** `key=value`, judged by {@link Program.settings}. */
  | 'setting'
  /** A command that stands as words from here on, up to `;` or `+` or the end. */
  | 'argv'

/** What an option, or a verb, adds by being there. */
export interface Mark {
  readonly categories?: readonly Category[]
  readonly reach?: Reach
  readonly mutability?: Mutability
}

/**
 * What is printed, as far as it can become somebody's word: nothing; a short token; names of files; the operands, or a part of them; what was read, unchanged or
 * picked from; a changed text; a decoded one; outside content.
 */
export type Output =
  | 'none'
  | 'token'
  | 'names'
  | 'same'
  | 'dirname'
  | 'basename'
  | 'echo'
  | 'printf'
  | 'cat'
  | 'filter'
  | 'decode'
  | 'content'

/** What is known of a program. Options are written as on the command line, several in one string: `'-m --message'`. */
export interface Program extends Mark {
  /**
   * How options are written: `gnu` (clusters, anywhere; the default), `posix` (up to the first operand), `words` (`-name`, as in find),
   * `none` (there are none).
   */
  readonly style?: 'gnu' | 'posix' | 'words' | 'none'
  readonly takes?: Readonly<Partial<Record<Role, string>>>
  /** Options that take a name and then a value: `--arg name value`. */
  readonly named?: Readonly<Partial<Record<Role, string>>>
  readonly marks?: Readonly<Record<string, Mark>>
  /**
   * What operands are; `read` unless told. `last-write`: the last one is written; `pattern`: the first one is text; `remote`: `host:path`; `config`: a key
   * and its value, judged by {@link Program.settings}; `makefile`: targets and `NAME=value`; `sources`: files to compile, `-` for the input, `@file` for more words. */
  readonly operands?:
    | Role
    | 'none'
    | 'last-write'
    | 'pattern'
    | 'remote'
    | 'key-value'
    | 'joined'
    | 'applet'
    | 'config'
    | 'makefile'
    | 'database'
    | 'sources'
  /** Options after which the first operand is no pattern, code or script any more. */
  readonly instead?: string
  /** Operands in front of the command, for `argv` and `joined`. */
  readonly skip?: number
  /** Options with which the program only tells something, so that its own marks do not hold: `crontab -l`. */
  readonly unless?: string
  /** A client of addresses among its operands: it talks to nobody else when these are this machine, and the same text has started what listens there. */
  readonly isClient?: string
  /** It reaches nothing in the sandbox, where there are no other programs and nobody who could connect: its own marks hold only without. */
  readonly isTameInside?: boolean
  /** `NAME=value` words in front of the command set variables for it. */
  readonly assigns?: boolean
  /** The entry that the words of an `argv` option belong to, when they are no command: `python -m`. */
  readonly startsAs?: string
  readonly verbs?: Readonly<Record<string, Program>>
  /** What a verb is that is not listed; unknown unless told. */
  readonly otherwise?: Program
  readonly language?: Language
  /** What the input is when there is no operand: a program, or words to append to a command. `commands`: a program, whatever the operands. */
  readonly stdin?: 'code' | 'commands' | 'words'
  /** Settings that change nothing about what runs. All others are hooks. */
  readonly settings?: RegExp
  /** Makes another name for a file. */
  readonly copies?: boolean
  readonly output?: Output
}

/** A table of programs: names in one string, then what they have in common. */
export type ProgramTable = Readonly<Record<string, Program>>
