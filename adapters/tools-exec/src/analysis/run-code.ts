import { originOf, type Field, text, textOf, unknown } from './field.ts'
import { languageOf, readCode } from './code/read-code.ts'
import { isInert } from './inert-code.ts'
import type { Outcome } from './outcome.ts'
import type { Language } from './program.ts'
import type { Running } from './running.ts'
import { fileContent } from './touch.ts'

export function runText(field: Field, { shell, invocation, name }: Running): Outcome {
  const source = textOf(field)
  if (source === null) {
    shell.findings.reason('dynamic-script')
    if (originOf(field) === 'derived') shell.findings.category('obfuscated')
    return { ok: invocation.state, fail: invocation.state, out: [unknown('content')] }
  }
  return shell.text(source, invocation.state, [...invocation.via, name])
}

export function runCode(language: Language, field: Field, running: Running): void {
  const { shell, invocation } = running
  if (language === 'shell') {
    runText(field, running)
    return
  }
  // A pattern that the shell has replaced by names is names.
  const origin = originOf(field) ?? (field.some((piece) => piece.kind === 'glob') ? 'names' : null)
  // A name of a file may hold a quote, and end the text that it stands in.
  const isName = origin === 'names' && (language === 'sed' || language === 'awk')
  const isTame = origin === null || origin === 'token' || isName || origin === 'environment'
  const source = isTame ? field.map((piece) => (piece.kind === 'text' ? piece.text : 'X')).join('') : null
  if (source !== null && isInert(language, source)) return
  // Only what stands there whole, but for numbers, is read.
  const isWhole = (origin === null || origin === 'token') && field.some((piece) => piece.kind === 'text')
  const reading = source === null || !isWhole || shell.context.sandbox !== true ? null : readCode(language, source)
  if (reading === null) shell.findings.category('interpreter-inline')
  else {
    shell.findings.category('inline-code')
    for (const place of reading.places) shell.findings.path(text(place), reading.writes ? 'write' : 'read', invocation.state.cwds)
  }
  // Program text that nobody reads here may do anything that a program can.
  shell.findings.mutability('write')
}

/**
 * Looks at what this text wrote when something now runs that may load it: tests find new files by themselves, `make` reads its makefile. What is known, and in
 * a language that we read, is judged as if it were run here; everything else nobody has read.
 */
export function runWritten(running: Running): void {
  for (const [path, content] of running.shell.findings.takeCode()) {
    for (const field of content ?? [unknown('content')]) runFileText(path, field, running)
  }
}

/** The text of a file that this very command wrote. */
function runFileText(path: string, field: Field, running: Running): Outcome | null {
  const source = textOf(field)
  if (source !== null && path.endsWith('/package.json')) return runPackage(source, running)
  const language = source === null ? null : languageOf(path, source)
  if (language === 'shell') return runText(field, running)
  if (language === null) running.shell.findings.category('interpreter-inline')
  else runCode(language, field, running)
  return null
}

/** The scripts of a package are texts for the shell. */
function runPackage(source: string, running: Running): null {
  const scripts = scriptsOf(source)
  if (scripts === null) running.shell.findings.category('interpreter-inline')
  for (const script of scripts ?? []) runText(text(script), running)
  return null
}

function scriptsOf(source: string): readonly string[] | null {
  try {
    // Written by whoever wrote the command: anything but an object with texts in it is not read.
    const { scripts = {} } = JSON.parse(source) as { readonly scripts?: unknown }
    const all: readonly unknown[] | null = typeof scripts === 'object' && scripts !== null ? Object.values(scripts) : null
    return all?.every((script): script is string => typeof script === 'string') === true ? all : null
  } catch {
    return null
  }
}

/**
 * A file with program text: the workspace's own code, unless this very command wrote it. `isProgram`: it is started by its name, so that its first line says what
 * runs it, and not the program in front of it.
 */
export function runScript(
  language: Language,
  field: Field,
  running: Running,
  { isProgram = false }: { readonly isProgram?: boolean } = {},
): Outcome | null {
  const { shell, invocation } = running
  const pipe = field.length === 1 && field[0]?.kind === 'unknown' ? field[0].carries : undefined
  const source = textOf(field)
  const content = pipe ?? (source === null ? undefined : fileContent(source, running))
  if (content !== undefined && content !== null) {
    let last: Outcome | null = null
    for (const value of content) {
      const hasLine = isProgram && textOf(value)?.startsWith('#!') === true
      if (hasLine) last = runFileText(source ?? '', value, running)
      else if (language === 'shell') last = runText(value, running)
      else runCode(language, value, running)
    }
    return last
  }
  if (source === '/dev/stdin' || source === '-' || /^\/(?:dev\/fd|proc\/self\/fd)\/0$/.test(source ?? '')) {
    runInput(running)
    return null
  }
  // `node --import data:text/javascript,...` is program text, and no file.
  if (/^[a-z]{2,}:/i.test(source ?? '')) {
    shell.findings.category('interpreter-inline')
    return null
  }
  if (
    content === null ||
    (shell.findings.wroteCode && source === null) ||
    (source === null && originOf(field) !== null && originOf(field) !== 'names' && originOf(field) !== 'environment') ||
    /^\/dev\/fd\//.test(source ?? '')
  ) {
    shell.findings.reason('dynamic-script')
    return null
  }
  shell.findings.path(field, 'execute', invocation.state.cwds)
  shell.findings.category('workspace-code')
  return null
}

/** Program text from the standard input. */
export function runInput(running: Running): void {
  const { program, shell, invocation } = running
  const language = program.language ?? 'other'
  const input = invocation.state.stdin
  if (input === null || input.some((field) => textOf(field) === null)) {
    if (language === 'shell' || input !== null) shell.findings.reason('dynamic-script')
    if (input?.some((field) => originOf(field) === 'derived')) shell.findings.category('obfuscated')
    if (language !== 'shell') shell.findings.category('interpreter-inline')
    return
  }
  for (const field of input) runCode(language, field, running)
}
