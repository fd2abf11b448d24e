import { readArguments } from './arguments.ts'
import { compact, EMPTY, type Field, originOf, text, textOf, unknown, type Value } from './field.ts'
import type { Outcome } from './outcome.ts'
import { outputOf } from './output.ts'
import { absolutePath, isBelow } from './path.ts'
import type { Program } from './program.ts'
import { runScript } from './run-code.ts'
import { runProgram } from './run-program.ts'
import type { Running } from './running.ts'
import { assign, assignArray, joinStates, type State } from './state.ts'
import { scan } from './touch.ts'
import { hidesSubstitution, noteAssignment } from './variables.ts'

/** Commands of the shell that change the shell itself. All others stand in the tables of programs. */
export const BUILTINS: Readonly<Record<string, (running: Running) => Outcome>> = {
  cd: changeFolder,
  pushd: changeFolder,
  popd: (running) => after({ ...running.invocation.state, cwds: null }),
  eval: evaluate,
  source: sourceFile,
  '.': sourceFile,
  exec: execute,
  export: declare,
  declare,
  typeset: declare,
  local: declare,
  readonly: declare,
  read: readInput,
  mapfile: readArray,
  readarray: readArray,
  printf: printTo,
  set: setPositional,
  shift: (running) =>
    after({
      ...running.invocation.state,
      positional: running.args.length === 0 ? (running.invocation.state.positional?.slice(1) ?? null) : null,
    }),
  unset: unsetNames,
  trap: trapSignal,
  alias: aliasWords,
  test: testWords,
  '[': testWords,
  let: testWords,
  getopts: (running) => after(assign(running.invocation.state, textOf(running.args[1] ?? []) ?? '_', [unknown('token')])),
  enable: hook('-f'),
  hash: hook('-p'),
  bind: hook('-x'),
  fc: evaluateAnything,
  kill: killJobs,
  complete: runsOption('-C -F -W'),
  compgen: runsOption('-C -F -W'),
}

/** These change the shell whether they succeed or not; only changing the folder may leave everything as it was. */
function after(state: State, out: Value = EMPTY): Outcome {
  return { ok: state, fail: state, out }
}

function changeFolder(running: Running): Outcome {
  const { invocation, args, shell } = running
  const { state } = invocation
  const [target] = readArguments({ style: 'gnu' }, args).operands
  const wanted = textOf(target ?? text(shell.home))
  if (wanted === '-') return { ok: { ...state, cwds: state.previous, previous: state.cwds }, fail: state, out: EMPTY }
  if (wanted === null) {
    const origin = originOf(target ?? [])
    shell.findings.path(target ?? [], 'enter', state.cwds)
    const isInside = origin === 'names' || origin === 'environment' || origin === 'token'
    const cwds = target?.[0]?.kind === 'glob' || isInside ? state.cwds : null
    return { ok: { ...state, cwds, previous: state.cwds }, fail: state, out: EMPTY }
  }
  const cwds =
    state.cwds === null && !wanted.startsWith('/')
      ? null
      : [...new Set((state.cwds ?? ['/']).map((cwd) => absolutePath(wanted, cwd)))]
  // `cd src; ...; cd ..` may go one too far if the first failed: what is then touched by a relative name says so itself.
  const inside = cwds?.filter((cwd) => isBelow(cwd, shell.context.workspace)) ?? []
  for (const place of inside.length > 0 ? inside : [wanted]) shell.findings.path(text(place), 'enter', state.cwds)
  return { ok: { ...state, cwds, previous: state.cwds }, fail: state, out: EMPTY }
}

function evaluate(running: Running): Outcome {
  const { args, shell, invocation } = running
  const words = textOf(args[0] ?? []) === '--' ? args.slice(1) : args
  const all = compact(words.flatMap((field, index) => (index === 0 ? field : [...text(' '), ...field])))
  const source = textOf(all)
  if (source === '') return after(invocation.state)
  shell.findings.category('obfuscated')
  if (source !== null) return shell.text(source, invocation.state, [...invocation.via, 'eval'])
  shell.findings.reason('dynamic-script')
  return after(invocation.state)
}

function evaluateAnything(running: Running): Outcome {
  running.shell.findings.category('obfuscated')
  return after(running.invocation.state)
}

function sourceFile(running: Running): Outcome {
  const { args, invocation } = running
  const [file, ...rest] = args
  if (file === undefined) return after(invocation.state)
  for (const field of rest) scan(field, running)
  const inner: Running = { ...running, program: { language: 'shell', stdin: 'code' } }
  const outcome = runScript('shell', file, inner)
  return outcome === null
    ? after(invocation.state)
    : { ok: outcome.ok, fail: joinStates(outcome.ok, outcome.fail), out: outcome.out }
}

/**
 * A job of this shell, or a process that it started, is its own business; everything else belongs to somebody. In the sandbox there is nobody else: it has process ids of
 * its own, and the first of them ends with it.
 */
function killJobs(running: Running): Outcome {
  const { args, shell } = running
  const isOwn = (field: Field, index: number): boolean => {
    const source = textOf(field)
    if (source === null) return originOf(field) === 'token' && !field.some((piece) => piece.kind === 'text')
    return /^%[\d+-]*$/.test(source) || (index === 0 && /^-(?:\d{1,2}|[A-Za-z]{1,9})$/.test(source))
  }
  if (shell.context.sandbox !== true && (!args.every(isOwn) || args.length > 8)) shell.findings.category('process-control')
  shell.findings.mutability('write')
  return after(running.invocation.state)
}

const EXEC: Program = { style: 'posix', takes: { text: '-a' }, operands: 'argv' }

/** Without words the redirections stay: what is read from now on comes from there. */
function execute(running: Running): Outcome {
  const { invocation, args } = running
  if (args.length > 0) return runProgram({ ...running, program: EXEC })
  return after({ ...invocation.state, stdin: invocation.persistRedirects })
}

function declare(running: Running): Outcome {
  const { invocation, args, shell } = running
  let state = invocation.declare(invocation.state)
  for (const field of args) {
    const source = textOf(field)
    if (source !== null && hidesSubstitution(source)) shell.findings.category('obfuscated')
    const match = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(source ?? '')
    // Built words such as `export "X=$y"` are no assignments to the grammar, but they are to the shell.
    if (match !== null && !state.variables.has(match[1] ?? '')) {
      const value = [text(match[2] ?? '')]
      noteAssignment(match[1] ?? '', value, { shell, state, via: invocation.via })
      state = assign(state, match[1] ?? '', value)
    }
    // A reference to another variable by its name, and a function by its text.
    if (source === '-n' || (source === '-fx' && field.length > 0)) shell.findings.category('obfuscated')
  }
  // What is read-only keeps its value, whatever is assigned to it later.
  const isFixed = running.name === 'readonly' || args.some((field) => /^-\w*r/.test(textOf(field) ?? ''))
  if (isFixed)
    for (const [name, value] of state.variables) if (invocation.state.variables.get(name) !== value) shell.setDefault(name, value)
  return after(state)
}

const READ: Program = { style: 'posix', takes: { text: '-d -i -n -N -p -t -u', scan: '-a' } }

function readInput(running: Running): Outcome {
  const { invocation, args, shell } = running
  const { operands, options } = readArguments(READ, args)
  const input = invocation.temporary.stdin === null ? null : invocation.state.stdin
  const names = operands.map((field) => textOf(field))
  const isArray = options.find(({ name }) => name === '-a')
  let state = invocation.state
  const value = lineOf(input)
  for (const name of names) {
    if (name !== null && hidesSubstitution(name)) shell.findings.category('obfuscated')
    const own =
      names.length === 1 ? value : [unknown(value.map((field) => originOf(field)).find((origin) => origin !== null) ?? 'content')]
    if (name !== null) noteAssignment(name, own, { shell, state, via: invocation.via })
    state = name === null ? state : assign(state, name, own)
  }
  if (names.length === 0) state = assign(state, 'REPLY', value)
  if (isArray?.value) state = assignArray(state, textOf(isArray.value) ?? '_', null)
  return after(state)
}

/** One line of an input; every line may be the one. */
function lineOf(input: Value | null): Value {
  if (input === null) return [unknown('content')]
  const lines = input.flatMap((field): readonly Field[] => {
    const source = textOf(field)
    if (source === null)
      return [field.length === 1 && field[0]?.kind === 'unknown' ? field : unknown(originOf(field) ?? 'content')]
    return source
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => text(line.trim()))
  })
  return lines.length === 0 ? EMPTY : lines.length <= 8 ? lines : [unknown('content')]
}

function readArray(running: Running): Outcome {
  const { invocation, args } = running
  const program: Program = { takes: { text: '-d -n -O -s -u -c', command: '-C' } }
  const given = readArguments(program, args)
  runProgram({ ...running, program: { ...program, operands: 'none' } })
  const name = textOf(given.operands[0] ?? text('MAPFILE')) ?? '_'
  const lines = lineOf(invocation.state.stdin)
  return after(
    assignArray(
      invocation.state,
      name,
      lines.length === 1 && lines[0] !== undefined
        ? [lines[0].map((piece) => (piece.kind === 'unknown' ? { ...piece, splits: true } : piece))]
        : null,
    ),
  )
}

/** `printf -v name` sets a variable; without it, it prints. */
function printTo(running: Running): Outcome {
  const { invocation, args, shell } = running
  const isSet = textOf(args[0] ?? []) === '-v'
  const operands = isSet ? args.slice(2) : args
  const { out } = runProgram({ ...running, program: { style: 'none', operands: 'text', output: 'printf' }, args: operands })
  if (!isSet) return { ok: invocation.state, fail: invocation.state, out }
  const name = textOf(args[1] ?? [])
  if (name === null || hidesSubstitution(name)) shell.findings.category('obfuscated')
  const value = outputOf('printf', { operands, stdin: null, options: [] })
  noteAssignment(name ?? '', value, { shell, state: invocation.state, via: invocation.via })
  return after(assign(invocation.state, name ?? '_', value))
}

function setPositional(running: Running): Outcome {
  const { invocation, args } = running
  const at = args.findIndex((field) => textOf(field) === '--')
  if (at !== -1) return after({ ...invocation.state, positional: args.slice(at + 1) })
  const first = textOf(args[0] ?? [])
  if (args.length === 0 || first === null || /^[-+]/.test(first)) return after(invocation.state)
  return after({ ...invocation.state, positional: args })
}

function unsetNames(running: Running): Outcome {
  const { invocation, args, shell } = running
  let state = invocation.state
  for (const field of args) {
    const name = textOf(field)
    if (name === null || hidesSubstitution(name)) shell.findings.category('obfuscated')
    if (name !== null && /^\w+$/.test(name)) state = assign(state, name, name === 'IFS' ? [text(' \t\n')] : EMPTY)
  }
  return after(state)
}

function trapSignal(running: Running): Outcome {
  const { invocation, args, shell } = running
  const [action, ...signals] = readArguments({}, args).operands
  if (action === undefined || signals.length === 0) return after(invocation.state)
  const source = textOf(action)
  if (source === null) shell.findings.reason('dynamic-script')
  else if (source !== '' && source !== '-')
    shell.text(source, { ...invocation.state, cwds: invocation.state.cwds }, [...invocation.via, 'trap'])
  return after(invocation.state)
}

function aliasWords(running: Running): Outcome {
  const { invocation, args, shell } = running
  for (const field of args) {
    const source = textOf(field)
    const equals = source?.indexOf('=') ?? -1
    if (source === null) shell.findings.reason('dynamic-script')
    else if (equals > 0) {
      shell.findings.category('obfuscated')
      shell.text(source.slice(equals + 1), invocation.state, [...invocation.via, 'alias'])
    }
  }
  return after(invocation.state)
}

/** Tests and arithmetic evaluate subscripts, and those may run commands. */
function testWords(running: Running): Outcome {
  for (const field of running.args) {
    const source = textOf(field)
    if (source !== null && hidesSubstitution(source)) running.shell.findings.category('obfuscated')
    scan(field, running)
  }
  return after(running.invocation.state)
}

function hook(flag: string): (running: Running) => Outcome {
  return (running) => {
    if (running.args.some((field) => (textOf(field) ?? '').startsWith(flag)))
      running.shell.findings.category('execution-hook', 'obfuscated')
    for (const field of running.args) scan(field, running)
    return after(running.invocation.state)
  }
}

function runsOption(names: string): (running: Running) => Outcome {
  return (running) => {
    const { out } = runProgram({ ...running, program: { takes: { command: names }, operands: 'text' } })
    return after(running.invocation.state, out)
  }
}
