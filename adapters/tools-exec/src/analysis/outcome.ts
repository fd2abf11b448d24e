import type { Expander } from './expander.ts'
import type { AnalysisContext, RedirectionFact } from './facts.ts'
import type { Field, Value } from './field.ts'
import type { Findings } from './findings.ts'
import type { State } from './state.ts'

/** What is known after a command: how the shell stands when it succeeded and when it failed, and what it printed. */
export interface Outcome {
  readonly ok: State
  readonly fail: State
  readonly out: Value
}

/** One command with its words expanded, in one of the ways in which they may turn out. */
export interface Invocation {
  readonly fields: readonly Field[]
  readonly state: State
  readonly via: readonly string[]
  readonly redirections: readonly RedirectionFact[]
  /** Names of the variables set for this command alone. */
  readonly assignments: readonly string[]
  /** The state with those variables. */
  readonly temporary: State
  /** Sets the variables that stand among the words: `export A=b`. */
  readonly declare: (into: State) => State
  /** The input after the redirections, for `exec`, which keeps them. */
  readonly persistRedirects: Value | null
}

/** The walk as the programs see it. */
export interface Shell extends Expander {
  readonly findings: Findings
  readonly context: AnalysisContext
  /** Walks a text as a new shell text would be. */
  text(source: string, state: State, via: readonly string[]): Outcome
  /** Calls a function of the shell; null when there is none of this name. */
  call(name: string, state: State, args: readonly Field[], via: readonly string[]): Outcome | null
}
