import type { HereDoc, Redirection, Redirect } from 'unbash'
import { expandParts, expandValue } from './expand.ts'
import type { KnownWord, RedirectionFact } from './facts.ts'
import { EMPTY, type Field, patternOf, text, textOf, unknown, type Value } from './field.ts'
import type { Shell } from './outcome.ts'
import { absolutePath } from './path.ts'
import type { State } from './state.ts'

/** The redirections of a command, looked at. */
export interface Redirected {
  readonly stdin: Value | null
  /** True when the standard output goes elsewhere, so that nobody sees it. */
  readonly captures: boolean
  readonly facts: readonly RedirectionFact[]
  /** To be called with what the command printed: it lies in the files now. */
  readonly finish: (out: Value) => void
}

const ACCESS: Readonly<Record<string, RedirectionFact['access']>> = {
  '<': 'read',
  '<<': 'read',
  '<<-': 'read',
  '<<<': 'read',
  '<>': 'both',
  '>>': 'append',
  '&>>': 'append',
}

/** Looks at redirections: which files they touch, and what the command will read. */
export function redirect(redirections: readonly Redirection[], state: State, shell: Shell): Redirected {
  let stdin = state.stdin
  let captures = false
  const facts: RedirectionFact[] = []
  const targets: { readonly path: string; readonly appends: boolean }[] = []
  for (const redirection of redirections) {
    const descriptor = redirection.descriptor?.type === 'FileDescriptor' ? redirection.descriptor.value : null
    if (redirection.type === 'HereDoc') {
      const body = bodyOf(redirection, state, shell)
      if (descriptor === null || descriptor === 0) stdin = body
      continue
    }
    if (redirection.target === undefined) {
      shell.note('unsupported-syntax')
      continue
    }
    const value = expandValue(redirection.target, state, shell)
    if (redirection.type === 'HereString') {
      if (descriptor === null || descriptor === 0) stdin = value.map((field) => [...field, ...text('\n')])
      continue
    }
    const access = ACCESS[redirection.operator] ?? 'write'
    for (const target of value) {
      if (isDescriptor(redirection, target)) {
        if (redirection.operator === '<&') stdin = [unknown('content')]
        continue
      }
      facts.push({ access, target: known(target) })
      const read = touch(target, access, state, shell)
      if ((access === 'read' || access === 'both') && (descriptor === null || descriptor === 0)) stdin = read
      const path = textOf(target)
      if (access !== 'read' && path !== null)
        for (const cwd of state.cwds ?? []) targets.push({ path: absolutePath(path, cwd), appends: access === 'append' })
    }
    if (access !== 'read' && (descriptor === null || descriptor === 1)) captures = true
  }
  const finish = (out: Value) => {
    for (const { path, appends } of targets) shell.findings.wrote(path, appends ? null : out, { isNew: true })
  }
  return { stdin, captures, facts, finish }
}

/** `2>&1`, `>&-`: the target is a number, and no file. */
function isDescriptor({ operator }: Redirect, target: Field): boolean {
  return (operator === '>&' || operator === '<&') && /^(?:\d+-?|-)$/.test(textOf(target) ?? '')
}

function touch(target: Field, access: RedirectionFact['access'], state: State, shell: Shell): Value {
  const pipe = target.length === 1 && target[0]?.kind === 'unknown' ? target[0].carries : undefined
  if (pipe !== undefined) return pipe
  if (access !== 'read') shell.findings.path(target, 'write', state.cwds)
  if (access === 'read' || access === 'both') shell.findings.path(target, 'read', state.cwds)
  const path = textOf(target)
  if (path === '/dev/null') return EMPTY
  const content = path === null ? undefined : shell.findings.contentOf(absolutePath(path, state.cwds?.[0] ?? '/'))
  return content ?? [unknown('content')]
}

function bodyOf({ body, delimiter }: HereDoc, state: State, shell: Shell): Value {
  if (delimiter?.quoted === true || body.parts === undefined) return [text(body.text)]
  return expandParts(body.parts, state, shell)
}

export function known(field: Field): KnownWord {
  const exact = textOf(field)
  return exact === null ? { kind: 'dynamic', pattern: patternOf(field) } : { kind: 'static', text: exact }
}
