import { type GivenArguments, isGiven, readArguments } from './arguments.ts'
import { compact, dropText, type Field, originOf, patternOf, prefixOf, text, textOf, unknown, type Value } from './field.ts'
import type { Outcome, Shell } from './outcome.ts'
import { hidesLetters, outputOf } from './output.ts'
import type { Mark, Program, Role } from './program.ts'
import { runCode, runInput, runScript, runText, runWritten } from './run-code.ts'
import type { Running } from './running.ts'
import { assign } from './state.ts'
import { fileContent, judgeDestruction, scan, touch, written } from './touch.ts'
import { noteAssignment } from './variables.ts'

/** Says what a program does with its arguments, by its entry in the table. */
export function runProgram(running: Running): Outcome {
  const { program, args, invocation, shell } = running
  const given = readArguments(program, args)
  const isTame = shell.context.sandbox === true && (program.isTameInside === true || talksToItself(running, given))
  if (isTame) mark({ mutability: program.mutability ?? 'read' }, shell)
  else if (program.unless === undefined || !isGiven(given, program.unless)) mark(program, shell)
  const isRunner =
    program.categories?.includes('workspace-code') === true ||
    ['python', 'javascript', 'perl', 'ruby', 'php', 'other'].includes(program.language ?? 'shell')
  if (isRunner) runWritten(running)
  for (const field of given.unknown) scan(field, running)
  for (const option of given.options) {
    const marks = program.marks ?? {}
    for (const [names, extra] of Object.entries(marks)) if (isNamed(option.name, names)) mark(extra, shell)
    if (option.value !== null) takeValue(option.role ?? 'scan', option.value, withPositional(running, given))
  }
  for (const command of given.commands) {
    const words = command.map((field) => withNames(field))
    running.run(program.startsAs === undefined ? words : [text(program.startsAs), ...words], {})
  }
  warnOfHiddenOptions(running, given)
  const out = takeOperands(running, given)
  const state = invocation.state
  return { ok: state, fail: state, out }
}

const LOOPBACK = /^(?:https?:\/\/)?(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?(?:[/?#][^@]*)?$/

/**
 * `node server.js & curl localhost:3000`: in the sandbox a machine's own address is the sandbox, and what listens there was started in it. Only with a server in the same
 * text: otherwise somebody means another one, and should hear that it cannot be reached.
 */
function talksToItself({ program, shell }: Running, { options, operands }: GivenArguments): boolean {
  if (program.isClient === undefined || !shell.findings.startedJob || operands.length === 0) return false
  const plain = program.isClient.split(' ')
  return options.every(({ name }) => plain.includes(name)) && operands.every((field) => LOOPBACK.test(textOf(field) ?? ''))
}

/** `sh -c text name one two`: what stands behind is `$0`, `$1` and `$2` of the text. */
function withPositional(running: Running, { operands }: GivenArguments): Running {
  const { program, invocation } = running
  if (program.language !== 'shell') return running
  const named = operands[0] === undefined ? invocation.state : assign(invocation.state, '0', [operands[0]])
  return { ...running, invocation: { ...invocation, state: { ...named, positional: operands.slice(1) } } }
}

function isNamed(name: string, names: string): boolean {
  return names.split(' ').some((known) => known === name || (name.length > 4 && name.startsWith('--') && known.startsWith(name)))
}

export function mark({ categories, reach, mutability }: Mark, shell: Shell): void {
  if (categories !== undefined) shell.findings.category(...categories)
  if (reach !== undefined) shell.findings.reach(reach)
  if (mutability !== undefined) shell.findings.mutability(mutability)
}

/** A word from outside may be an option, and some options run programs. */
function warnOfHiddenOptions({ program, shell }: Running, { operands }: GivenArguments): void {
  const { command, code, argv, setting, script } = program.takes ?? {}
  if ((command ?? code ?? argv ?? setting ?? script) === undefined || program.style === 'none') return
  for (const field of operands) {
    const first = field[0]
    if (first?.kind === 'unknown' && first.splits && (first.origin === 'content' || first.origin === 'derived')) {
      shell.findings.category('execution-hook')
    }
  }
}

/** `{}` stands for the names that were found. */
function withNames(field: Field): Field {
  const source = textOf(field)
  if (source === null || !source.includes('{}')) return field
  const parts = source.split('{}')
  return compact(parts.flatMap((part, index) => (index === 0 ? text(part) : [...unknown('names'), ...text(part)])))
}

function takeValue(role: Role, field: Field, running: Running): void {
  const { shell, invocation, program } = running
  const cwds = invocation.state.cwds
  switch (role) {
    case 'text':
      return
    case 'scan':
      scan(field, running)
      return
    case 'read':
    case 'write':
    case 'enter':
    case 'list':
      touch(field, role, running)
      return
    case 'command':
      runText(field, running)
      return
    case 'code':
      runCode(program.language ?? 'other', field, running)
      return
    case 'script':
      runScript(program.language ?? 'other', field, running)
      return
    case 'setting': {
      const source = textOf(field) ?? patternOf(field)
      if (program.settings === undefined || !program.settings.test(source)) shell.findings.category('execution-hook')
      const equals = source.indexOf('=')
      if (equals !== -1) shell.findings.path(dropText(field, equals + 1) ?? [], 'read', cwds?.filter((cwd) => cwd === '/') ?? [])
      return
    }
    case 'argv':
      running.run([field], {})
  }
}

function takeOperands(running: Running, given: GivenArguments): Value {
  const { program, shell, invocation } = running
  const { operands } = given
  if (program.verbs !== undefined) return takeVerb(running, operands)
  const output = () => modelled(running, given)
  const rest = operands.slice(1)
  const hasProgram = program.instead !== undefined && isGiven(given, program.instead)
  switch (program.operands ?? 'read') {
    case 'none':
    case 'text':
      break
    case 'argv':
      if (program.unless !== undefined && isGiven(given, program.unless)) break
      return takeCommand(running, given)
    case 'applet':
      return running.run(operands, {}).out
    case 'joined': {
      const words = operands.slice(program.skip ?? 0)
      if (words.length > 0) runText(joinWords(words), running)
      break
    }
    case 'command':
      for (const field of operands) runText(field, running)
      break
    case 'code':
      if (!hasProgram && operands[0] !== undefined) runCode(program.language ?? 'other', operands[0], running)
      for (const field of hasProgram ? operands : rest) {
        const isEdited = isGiven(given, '-i --in-place')
        touch(field, isEdited ? 'write' : 'read', running)
        if (isEdited) written(field, running, null, { isNew: false })
      }
      break
    case 'script':
      takeScript(running, given)
      break
    case 'pattern':
      for (const field of hasProgram ? operands : rest) touch(field, 'read', running)
      break
    case 'last-write':
      takeCopies(running, operands)
      break
    case 'database':
      if (operands[0] !== undefined) touch(operands[0], 'write', running)
      for (const field of rest) runCode(program.language ?? 'sql', field, running)
      break
    case 'key-value':
      takeKeyValues(running, operands)
      break
    case 'makefile':
      takeTargets(running, operands)
      break
    case 'config':
      takeSetting(running, operands)
      break
    case 'remote':
      takeRemote(running, operands)
      break
    case 'setting':
      for (const field of operands) takeValue('setting', field, running)
      break
    case 'scan':
      for (const field of operands) scan(field, running)
      break
    case 'enter':
    case 'read':
      for (const field of operands) touch(field, 'read', running)
      break
    case 'list':
      for (const field of operands) touch(field, 'list', running)
      break
    case 'sources':
      takeSources(running, operands)
      break
    case 'write':
      for (const field of operands) {
        touch(field, 'write', running)
        if (running.name === 'tee') written(field, running, invocation.state.stdin, { isNew: true })
        else if (program.stdin === 'code' || program.stdin === 'commands') written(field, running, null, { isNew: true })
      }
      if (program.mutability === 'destructive') judgeDestruction(operands, shell, invocation)
      break
  }
  if (program.stdin === 'commands' && invocation.state.stdin !== null) runInput(running)
  if (
    program.stdin === 'code' &&
    program.operands !== 'script' &&
    operands.length <= (program.operands === 'database' ? 1 : 0) &&
    !hasProgram
  )
    runInput(running)
  return output()
}

/** A script and its arguments; without one, the input is the script. */
function takeScript(running: Running, given: GivenArguments): void {
  const { program } = running
  const { operands } = given
  const hasProgram = program.instead !== undefined && isGiven(given, program.instead)
  if (operands.length === 0 || textOf(operands[0] ?? []) === '-') {
    if (!hasProgram) runInput(running)
    return
  }
  if (!hasProgram) runScript(program.language ?? 'other', operands[0] ?? [], running)
  for (const field of hasProgram ? operands : operands.slice(1)) {
    scan(field, running)
    if (isGiven(given, '-i') && program.language === 'perl') written(field, running, null, { isNew: false })
  }
}

/** Files to compile: the input may be one, and a file may hold more words for the compiler. */
function takeSources(running: Running, operands: readonly Field[]): void {
  for (const field of operands) {
    if (textOf(field) === '-') runInput(running)
    else touch(prefixOf(field).startsWith('@') ? (dropText(field, 1) ?? field) : field, 'read', running)
  }
}

/** Variables that change which program every rule of a makefile runs, unless they name an ordinary one. */
const RULE_VARIABLE = /^(?:SHELL|\.SHELLFLAGS|MAKEFLAGS|CC|CXX|LD|AR|AWK|SED|INSTALL)\+?=/
const ORDINARY_TOOL = /=(?:\/bin\/)?(?:ba)?sh$|=(?:gcc|clang|cc|g\+\+)[\w.+-]*$/

function takeTargets(running: Running, operands: readonly Field[]): void {
  for (const field of operands) {
    const source = textOf(field) ?? ''
    const isHook = (RULE_VARIABLE.test(prefixOf(field)) && !ORDINARY_TOOL.test(source)) || /[$`]/.test(source)
    if (isHook) running.shell.findings.category('execution-hook')
    scan(field, running)
  }
}

function modelled({ program, invocation, shell, name }: Running, given: GivenArguments): Value {
  const model = program.output ?? 'content'
  const options = given.options.map((option) => option.name)
  if (model === 'printf' || model === 'echo') {
    const texts = given.operands.map((field) => textOf(field) ?? '')
    if ((model === 'printf' || name === 'echo') && texts.some((source) => hidesLetters(source)))
      shell.findings.category('obfuscated')
  }
  const operands = program.operands === 'pattern' || program.operands === 'code' ? given.operands.slice(1) : given.operands
  // Names in other folders are no names of the workspace: whoever opens them opens what is there.
  if (program.operands === 'list' && operands.some((field) => /^(?:\/|~|.*\.\.)/.test(patternOf(field))))
    return [unknown('content')]
  return outputOf(model, { operands, stdin: invocation.state.stdin, options })
}

function takeVerb(running: Running, operands: readonly Field[]): Value {
  const { program, shell } = running
  const [verb, ...args] = operands
  if (verb === undefined) return [unknown('content')]
  const name = textOf(verb)
  if (name === null) {
    shell.findings.reason('dynamic-program')
    return [unknown('content')]
  }
  const entry = Object.hasOwn(program.verbs ?? {}, name) ? program.verbs?.[name] : undefined
  const next = entry ?? program.otherwise
  if (next === undefined) {
    shell.findings.category('unknown-program')
    shell.findings.reach('unknown')
    for (const field of args) scan(field, running)
    return [unknown('content')]
  }
  const inherited: Program = {
    ...next,
    ...(next.settings === undefined && program.settings !== undefined ? { settings: program.settings } : {}),
    ...(next.language === undefined && program.language !== undefined ? { language: program.language } : {}),
  }
  return runProgram({ ...running, program: inherited, args: entry === undefined ? operands : args }).out
}

function takeCommand(running: Running, given: GivenArguments): Value {
  const { program, invocation, shell } = running
  const { operands } = given
  let rest: readonly Field[] = operands.slice(program.skip ?? 0)
  // `flock file command` makes the file.
  for (const field of operands.slice(0, program.skip ?? 0)) scan(field, running)
  let state = invocation.state
  while (program.assigns === true && rest[0] !== undefined) {
    const match = /^([^\s=/-][^\s=]*)=/.exec(prefixOf(rest[0]))
    if (match === null) break
    const value = [dropText(rest[0], match[0].length) ?? []]
    noteAssignment(match[1] ?? '', value, { shell, state, via: invocation.via })
    state = assign(state, match[1] ?? '', value)
    rest = rest.slice(1)
  }
  if (program.stdin === 'words') rest = withInput(rest, running, given)
  if (rest.length === 0) return [unknown('content')]
  return running.run(rest, { state }).out
}

/** The words that `xargs` appends, or puts in the place of a mark. */
function withInput(command: readonly Field[], { invocation }: Running, { options }: GivenArguments): readonly Field[] {
  const replaces = options.find(({ name }) => /^(?:-I|-i|-J|--replace)$/.test(name))
  const mark = replaces === undefined ? null : textOf(replaces.value ?? []) || '{}'
  const input = invocation.state.stdin ?? [unknown('content')]
  const words = command.length === 0 ? [text('echo')] : command
  const only = input.length === 1 ? textOf(input[0] ?? []) : null
  const items: readonly Field[] =
    only !== null
      ? only
          .split(/\s+/)
          .filter((item) => item !== '')
          .slice(0, 64)
          .map((item) => text(item))
      : [unknown(originOf(input[0] ?? []) ?? 'content')]
  if (mark === null) return [...words, ...items]
  const value = items.length === 1 ? (items[0] ?? []) : unknown(only === null ? 'content' : 'derived')
  return words.map((word) => {
    const source = textOf(word)
    if (source === null || !source.includes(mark)) return word
    return compact(source.split(mark).flatMap((part, index) => (index === 0 ? text(part) : [...value, ...text(part)])))
  })
}

function joinWords(words: readonly Field[]): Field {
  return compact(words.flatMap((field, index) => (index === 0 ? field : [...text(' '), ...field])))
}

function takeCopies(running: Running, operands: readonly Field[]): void {
  for (const [index, field] of operands.entries()) {
    const isTarget = index === operands.length - 1 && operands.length > 1
    touch(field, isTarget ? 'write' : running.program.mutability === 'destructive' ? 'write' : 'read', running)
    if (!isTarget) continue
    const source = textOf(operands[0] ?? [])
    const content = source === null ? null : (fileContent(source, running) ?? null)
    // What this text wrote stays new under another name, which may make a program of it.
    written(field, running, content, { isNew: content?.every((each) => textOf(each) !== null) === true })
  }
}

function takeKeyValues(running: Running, operands: readonly Field[]): void {
  for (const field of operands) {
    const prefix = prefixOf(field)
    const equals = prefix.indexOf('=')
    const key = prefix.slice(0, Math.max(0, equals))
    const value = dropText(field, equals + 1) ?? []
    if (key === 'of') {
      touch(value, 'write', running)
      written(value, running, null, { isNew: true })
    } else if (key === 'if') touch(value, 'read', running)
    else scan(field, running)
  }
}

/** `key value`: reading a setting is harmless, setting one may be a hook. */
function takeSetting({ program, shell }: Running, operands: readonly Field[]): void {
  const words = operands.map((field) => textOf(field) ?? patternOf(field))
  if (['list', 'get'].includes(words[0] ?? '') || words.length < 2) return
  const [key = '', value = ''] = words[0] === 'set' ? words.slice(1) : words
  if (program.settings?.test(`${key}=${value}`) !== true) shell.findings.category('execution-hook', 'persistence')
}

/** `host:path` and `rsync://`: a copy between machines; without one it is a copy on this one. */
function takeRemote(running: Running, operands: readonly Field[]): void {
  const isRemote = operands.some((field) => {
    const source = textOf(field) ?? patternOf(field)
    return /^[a-z]+:\/\//i.test(source) || /^[^/]*:/.test(source)
  })
  if (isRemote) mark({ categories: ['network-client'], reach: 'network' }, running.shell)
  takeCopies(
    running,
    operands.filter((field) => !/^[^/]*:/.test(textOf(field) ?? patternOf(field))),
  )
}
