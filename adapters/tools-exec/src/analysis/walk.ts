import {
  type Assignment,
  type CommandNode,
  type CompoundList,
  forEachChild,
  type ParsedScript,
  type PipelineNode,
  type ProcessSubstitutionPart,
  parse,
  type Statement,
  type SyntaxNode,
} from 'unbash'
import { combine, expandElements, expandValue, expandWords } from './expand.ts'
import type { Expander } from './expander.ts'
import type { AnalysisContext } from './facts.ts'
import { EMPTY, type Field, joinValues, originOf, textOf, unknown, type Value, worstOf } from './field.ts'
import { Findings } from './findings.ts'
import { LIMITS } from './limits.ts'
import type { Invocation, Outcome, Shell } from './outcome.ts'
import { redirect } from './redirect.ts'
import { runInvocation } from './run-invocation.ts'
import { assign, assignArray, joinStates, type State, startState, widenStates } from './state.ts'
import { noteAssignment } from './variables.ts'

/** Thrown when a limit is hit, so that the walk ends at once. Never leaves `analyse`. */
export class TooMuch extends Error {}

/**
 * Walks a text as the shell would, over all ways that it may take, with what is known of variables, folders and input.
 *
 * W1 Every command that stands anywhere is looked at, also where it would not be reached.
 * W2 What is known of the shell is only ever too much: after two ways both are possible.
 * W3 Each step counts against one budget, so that no text makes the walk long.
 */
export class Walk implements Shell, Expander {
  readonly findings: Findings
  readonly context: AnalysisContext
  readonly home: string
  readonly env?: Readonly<Record<string, string>>
  readonly defaults = new Map<string, Value>()
  #steps = 0
  #depth = 0
  #bytes = 0
  readonly #called = new Set<SyntaxNode>()
  readonly #defined = new Map<SyntaxNode, { readonly name: string; readonly state: State }>()

  constructor(context: AnalysisContext) {
    this.context = context
    this.home = context.home
    if (context.env !== undefined) this.env = context.env
    this.findings = new Findings(context)
  }

  start(command: string): void {
    const state = startState(this.context.cwd)
    this.text(command, state, [])
    // W1: a function that nobody calls here may be called by what we do not see.
    for (const [body, { state: then }] of this.#defined) {
      if (!this.#called.has(body)) this.node(body as CommandNode, { ...then, positional: null }, [])
    }
  }

  text(source: string, state: State, via: readonly string[]): Outcome {
    this.#bytes += source.length
    if (this.#bytes > LIMITS.maxBytes || (source.match(/[$<>]\(|`|\$[{[]|<</g)?.length ?? 0) > LIMITS.maxSubstitutions) {
      this.findings.reason('too-much-work')
      throw new TooMuch()
    }
    return this.script(parse(source), state, via)
  }

  script(script: ParsedScript, state: State, via: readonly string[]): Outcome {
    if ((script.errors?.length ?? 0) > 0) this.findings.reason('unparsable')
    return this.#deeper(() => this.#statements(script.commands, state, via))
  }

  setDefault(name: string, value: Value): void {
    noteAssignment(name, value, { shell: this, state: startState(this.context.cwd), via: [] })
    this.defaults.set(name, joinValues(this.defaults.get(name) ?? EMPTY, value))
  }

  output(script: ParsedScript, state: State): Value {
    const only = script.commands.length === 1 ? script.commands[0]?.command : undefined
    // `$(<file)` reads a file without running anything.
    if (only?.type === 'Command' && only.name === undefined && only.prefix.length === 1 && only.suffix.length === 0) {
      return redirect(only.redirects, state, this).stdin ?? EMPTY
    }
    return this.script(script, state, []).out
  }

  pipe(part: ProcessSubstitutionPart, state: State): Field {
    if (part.script === undefined) {
      this.findings.reason('unsupported-syntax')
      return unknown('derived')
    }
    const stdin: Value | null = part.operator === '>' ? [unknown('content')] : state.stdin
    const { out } = this.script(part.script, { ...state, stdin }, [])
    return [{ kind: 'unknown', origin: 'pipe', splits: false, carries: out }]
  }

  visit(node: SyntaxNode, state: State): void {
    this.spend(1)
    if (node.type === 'Script') this.script(node, state, [])
    else this.#deeper(() => forEachChild(node, (child) => this.visit(child, state)))
  }

  note(what: 'obfuscated' | 'unsupported-syntax'): void {
    if (what === 'obfuscated') this.findings.category('obfuscated')
    else this.findings.reason('unsupported-syntax')
  }

  call(name: string, state: State, args: readonly Field[], via: readonly string[]): Outcome | null {
    const bodies = state.functions.get(name)
    if (bodies === undefined) return null
    let outcome: Outcome | null = null
    for (const body of bodies) {
      this.#called.add(body.body)
      const inner = this.#deeper(() => this.list(body.body, { ...state, positional: args }, via))
      const ok = { ...joinStates(inner.ok, inner.fail), positional: state.positional, stdin: state.stdin }
      const next = { ok, fail: ok, out: inner.out }
      outcome = outcome === null ? next : either(outcome, next)
    }
    return outcome
  }

  #deeper<T>(work: () => T): T {
    if (++this.#depth > LIMITS.maxDepth) {
      this.findings.reason('too-deep')
      throw new TooMuch()
    }
    const result = work()
    this.#depth--
    return result
  }

  spend(steps: number): void {
    this.#steps += steps
    if (this.#steps <= LIMITS.maxSteps) return
    this.findings.reason('too-much-work')
    throw new TooMuch()
  }

  #statements(statements: readonly Statement[], start: State, via: readonly string[]): Outcome {
    let state = start
    let last: Outcome = { ok: state, fail: state, out: EMPTY }
    let out: Value = EMPTY
    for (const [index, { command, background }] of statements.entries()) {
      last = this.#pipelineOrList(command, state, via)
      if (background === true) {
        this.findings.startJob()
        last = { ok: state, fail: state, out: last.out }
      }
      out = combineOutputs(out, last.out)
      state = index === statements.length - 1 ? state : joinStates(last.ok, last.fail)
    }
    return { ...last, out }
  }

  list(node: CompoundList | CommandNode, state: State, via: readonly string[]): Outcome {
    return node.type === 'CompoundList' ? this.#statements(node.commands, state, via) : this.node(node, state, via)
  }

  #pipelineOrList(node: Statement['command'], state: State, via: readonly string[]): Outcome {
    if (node.type !== 'AndOr') return this.#pipeline(node, state, via)
    const [first, ...rest] = node.commands
    if (first === undefined) return { ok: state, fail: state, out: EMPTY }
    let outcome = this.#pipeline(first, state, via)
    for (const [index, next] of rest.entries()) {
      const isAnd = node.operators[index] === '&&'
      const after = this.#pipeline(next, isAnd ? outcome.ok : outcome.fail, via)
      outcome = {
        ok: isAnd ? after.ok : joinStates(outcome.ok, after.ok),
        fail: isAnd ? joinStates(outcome.fail, after.fail) : after.fail,
        out: combineOutputs(outcome.out, after.out),
      }
    }
    return outcome
  }

  #pipeline(node: PipelineNode, state: State, via: readonly string[]): Outcome {
    if (node.type !== 'Pipeline') return this.node(node, state, via)
    if (node.commands.length === 1 && node.commands[0] !== undefined) {
      const { ok, fail, out } = this.node(node.commands[0], state, via)
      return node.prefixes.some(({ type }) => type === 'Negation') ? { ok: fail, fail: ok, out } : { ok, fail, out }
    }
    let stdin = state.stdin
    for (const command of node.commands) stdin = this.node(command, { ...state, stdin }, via).out
    return { ok: state, fail: state, out: stdin ?? EMPTY }
  }

  node(node: CommandNode, state: State, via: readonly string[]): Outcome {
    this.spend(1)
    return this.#deeper(() => this.#node(node, state, via))
  }

  #node(node: CommandNode, state: State, via: readonly string[]): Outcome {
    switch (node.type) {
      case 'Command':
        return this.#command(node, state, via)
      case 'Redirected': {
        const inside = redirect(node.redirects, state, this)
        const outcome = this.node(node.command, { ...state, stdin: inside.stdin }, via)
        inside.finish(outcome.out)
        const back = (after: State): State => ({ ...after, stdin: state.stdin })
        return { ok: back(outcome.ok), fail: back(outcome.fail), out: inside.captures ? EMPTY : outcome.out }
      }
      case 'BraceGroup':
        return this.list(node.body, state, via)
      case 'Subshell':
        return { ok: state, fail: state, out: this.list(node.body, state, via).out }
      case 'Coproc':
        this.list(node.body, { ...state, stdin: [unknown('content')] }, via)
        return same(state)
      case 'Function': {
        const name = node.name.value
        this.#defined.set(node.body, { name, state })
        const functions = new Map(state.functions).set(name, [node])
        return same({ ...state, functions })
      }
      default:
        return this.#compound(node, state, via)
    }
  }

  #compound(
    node: Exclude<CommandNode, { type: 'Command' | 'Redirected' | 'BraceGroup' | 'Subshell' | 'Coproc' | 'Function' }>,
    state: State,
    via: readonly string[],
  ): Outcome {
    switch (node.type) {
      case 'If': {
        let test = this.list(node.clause, state, via)
        let all: Outcome = this.list(node.then, test.ok, via)
        for (const branch of node.elif) {
          test = this.list(branch.clause, test.fail, via)
          all = either(all, this.list(branch.then, test.ok, via))
        }
        return either(all, node.else === undefined ? same(test.fail) : this.list(node.else, test.fail, via))
      }
      case 'While':
        return this.#loop(state, (before) => {
          const test = this.list(node.clause, before, via)
          const body = this.list(node.body, node.kind === 'while' ? test.ok : test.fail, via)
          return { ...body, ok: joinStates(body.ok, joinStates(test.fail, test.ok)) }
        })
      case 'For':
      case 'Select': {
        const words = node.wordlist === undefined ? state.positional : this.#forWords(node.wordlist, state)
        const values: Value = words === null ? [unknown('content')] : words.length > 8 ? this.#manyWords(words) : words
        return this.#loop(state, (before) =>
          this.list(
            node.body,
            values.length === 0
              ? before
              : assign(before, node.name.value, node.type === 'Select' ? [unknown('content')] : values),
            via,
          ),
        )
      }
      case 'ArithmeticFor':
        for (const part of [node.initialize, node.test, node.update]) if (part !== undefined) this.visit(part, state)
        return this.#loop(state, (before) => this.list(node.body, before, via))
      case 'Case': {
        expandValue(node.word, state, this)
        let all: Outcome = same(state)
        for (const item of node.items) {
          for (const pattern of item.pattern) expandValue(pattern, state, this)
          all = either(all, this.list(item.body, state, via))
        }
        return all
      }
      default:
        this.visit(node, state)
        return same(state)
    }
  }

  #forWords(words: readonly import('unbash').Word[], state: State): readonly Field[] | null {
    const ways = expandWords(words, state, this)
    const all = ways.flat()
    return all.map((field) => field.map((piece) => (piece.kind === 'unknown' ? { ...piece, splits: false } : piece)))
  }

  /** Many words in a list: what each of them would say about places is said now, and the name is then only a name. */
  #manyWords(words: readonly Field[]): Value {
    const origins = words.map((word) => originOf(word)).filter((origin) => origin !== null)
    const texts = words.map((word) => textOf(word))
    const isPlain = texts.every((text) => text !== null && /^[\w.,:=@+-]+$/.test(text))
    return [unknown(origins.length === 0 && isPlain ? 'token' : worstOf(['content', ...origins]))]
  }

  /** W2: twice through the loop, and what still changes is unknown. */
  #loop(state: State, round: (before: State) => Outcome): Outcome {
    const first = round(state)
    const once = joinStates(state, joinStates(first.ok, first.fail))
    const second = round(once)
    const twice = joinStates(once, joinStates(second.ok, second.fail))
    const rest = widenStates(once, twice)
    const changed = [...rest.variables].some(([name, value]) => value !== once.variables.get(name))
    const third = changed ? round(rest) : second
    const end = changed ? joinStates(rest, joinStates(third.ok, third.fail)) : rest
    return {
      ok: end,
      fail: end,
      out:
        first.out.length === 1 && first.out[0]?.length === 0
          ? third.out
          : [unknown(worstOf(['content', ...originsOf(third.out)]))],
    }
  }

  #command(node: Extract<CommandNode, { type: 'Command' }>, state: State, via: readonly string[]): Outcome {
    const inside = redirect(node.redirects, state, this)
    const assignments = node.prefix.filter((part) => part.type === 'Assignment')
    const assigned = this.#assign(assignments, state, { isForProgram: node.name !== undefined, via })
    if (node.name === undefined) {
      inside.finish(EMPTY)
      return same(assigned)
    }
    const declared = node.args.filter((part) => part.type === 'Assignment')
    const words = node.args.map((part) => (part.type === 'Word' ? part : assignmentWord(part)))
    const ways = expandWords([node.name, ...words], state, this)
    let outcome: Outcome | null = null
    for (const fields of ways) {
      const invocation: Invocation = {
        fields,
        state: { ...assigned, stdin: inside.stdin },
        via,
        redirections: inside.facts,
        assignments: assignments.map(({ name }) => name),
        temporary: assigned,
        declare: (into) => this.#assign(declared, into, { isForProgram: false, via }),
        persistRedirects: inside.stdin,
      }
      const next = runInvocation(invocation, this)
      outcome = outcome === null ? next : either(outcome, next)
    }
    const result = outcome ?? same(state)
    inside.finish(result.out)
    const keeps = node.name.value === 'exec' && node.args.length === 0
    const back = (then: State): State => (keeps ? then : { ...restored(then, state, assignments), stdin: state.stdin })
    return { ok: back(result.ok), fail: back(result.fail), out: inside.captures ? EMPTY : result.out }
  }

  #assign(
    assignments: readonly Assignment[],
    state: State,
    how: { readonly isForProgram: boolean; readonly via: readonly string[] },
  ): State {
    let next = state
    for (const { name, value, append, index } of assignments) {
      if (index !== undefined) this.visit(index, next)
      if (value.type === 'ArrayValue') {
        const elements = expandElements(value, next, this)
        const old = next.arrays.get(name)
        for (const field of elements ?? [unknown('content')])
          noteAssignment(name, [field], { shell: this, state: next, via: how.via })
        next = assignArray(next, name, append === true && elements !== null && old ? [...old, ...elements] : elements)
        continue
      }
      const now = expandValue(value, next, this)
      const before = append === true ? (next.variables.get(name) ?? EMPTY) : EMPTY
      const all = index !== undefined ? joinValues(next.variables.get(name) ?? EMPTY, now) : combine(before, now)
      noteAssignment(name, all, { shell: this, state: next, via: how.via })
      next = index === undefined ? assign(next, name, all) : { ...assignArray(next, name, null), variables: next.variables }
    }
    return next
  }
}

/** Variables set for one command are as before after it, or as the command left them. */
function restored(after: State, before: State, assignments: readonly Assignment[]): State {
  let state = after
  for (const { name } of assignments) {
    const old = before.variables.get(name) ?? EMPTY
    state = assign(state, name, joinValues(old, after.variables.get(name) ?? EMPTY))
  }
  return state
}

function assignmentWord(part: Assignment): import('unbash').Word {
  const value = part.value.type === 'Word' ? part.value : undefined
  const head = `${part.name}${part.append === true ? '+' : ''}=`
  const literal = { type: 'Literal' as const, pos: part.pos, end: part.pos + head.length, value: head, text: head }
  const rest = value?.parts ?? (value === undefined ? [] : [{ ...literal, value: value.value, text: value.text }])
  return { type: 'Word', text: part.text, value: part.text, pos: part.pos, end: part.end, parts: [literal, ...rest] }
}

function same(state: State): Outcome {
  return { ok: state, fail: state, out: EMPTY }
}

function either(left: Outcome, right: Outcome): Outcome {
  return { ok: joinStates(left.ok, right.ok), fail: joinStates(left.fail, right.fail), out: joinValues(left.out, right.out) }
}

function originsOf(value: Value) {
  return value.map((field) => originOf(field)).filter((origin) => origin !== null)
}

function combineOutputs(left: Value, right: Value): Value {
  if (left.length * right.length <= LIMITS.maxWays) return combine(left, right)
  return [unknown(worstOf(['content', ...originsOf(left), ...originsOf(right)]))]
}
