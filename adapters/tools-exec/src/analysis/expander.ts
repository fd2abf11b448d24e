import type { ParsedScript, ProcessSubstitutionPart, SyntaxNode } from 'unbash'
import type { Field, Value } from './field.ts'
import type { State } from './state.ts'

/** What expansion asks of the walk: commands inside of words are walked too, and what is strange is noted. */
export interface Expander {
  readonly home: string
  readonly env?: Readonly<Record<string, string>>
  /** What `${name:=value}` set on the way. */
  readonly defaults: ReadonlyMap<string, Value>
  setDefault(name: string, value: Value): void
  /** Walks the commands of a substitution and says what they print. */
  output(script: ParsedScript, state: State): Value
  /** Walks the commands of `<(...)` or `>(...)` and gives the word that names the pipe. */
  pipe(part: ProcessSubstitutionPart, state: State): Field
  /** Walks the commands that stand anywhere below a node that has no value of interest, such as arithmetic. */
  visit(node: SyntaxNode, state: State): void
  /** Counts work against the budget of the walk, and ends the walk when it is spent. */
  spend(steps: number): void
  note(what: 'obfuscated' | 'unsupported-syntax'): void
}
