import { originOf, type Field, textOf, unknown } from './field.ts'
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
  const { shell } = running
  if (language === 'shell') {
    runText(field, running)
    return
  }
  const origin = originOf(field)
  const isTame = origin === null || origin === 'token' || origin === 'names' || origin === 'environment'
  const source = isTame ? field.map((piece) => (piece.kind === 'text' ? piece.text : 'X')).join('') : null
  if (source !== null && isInert(language, source)) return
  shell.findings.category('interpreter-inline')
  // Program text that nobody reads here may do anything that a program can.
  shell.findings.mutability('write')
}

/** A file with program text: the workspace's own code, unless this very command wrote it. */
export function runScript(language: Language, field: Field, running: Running): Outcome | null {
  const { shell, invocation } = running
  const pipe = field.length === 1 && field[0]?.kind === 'unknown' ? field[0].carries : undefined
  const source = textOf(field)
  const content = pipe ?? (source === null ? undefined : fileContent(source, running))
  if (content !== undefined && content !== null) {
    let last: Outcome | null = null
    for (const value of content) {
      if (language === 'shell' && textOf(value)?.startsWith('#!') !== true) last = runText(value, running)
      else
        runCode(
          /^#!.*\b(?:ba|da|z|k)?sh\b/.test(textOf(value) ?? '') ? 'shell' : language === 'shell' ? 'other' : language,
          value,
          running,
        )
    }
    return last
  }
  if (source === '/dev/stdin' || source === '-' || /^\/(?:dev\/fd|proc\/self\/fd)\/0$/.test(source ?? '')) {
    runInput(running)
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
