import type { Category, PathAccess } from './facts.ts'
import { dropText, type Field, originOf, patternOf, prefixOf, text, textOf, type Value } from './field.ts'
import type { Invocation, Shell } from './outcome.ts'
import { absolutePath } from './path.ts'
import { PROGRAM_FOLDERS } from './path-table.ts'
import type { Running } from './running.ts'

export function touch(field: Field, access: PathAccess, { shell, invocation, program }: Running): void {
  const source = textOf(field)
  if (field.length === 1 && field[0]?.kind === 'unknown' && field[0].carries !== undefined) return
  if (source !== null && /^(?:https?|ftps?|s?ftp|ssh|git):\/\//.test(source)) return
  // Without the sandbox the names of a folder are what somebody keeps there.
  const as = access === 'list' && shell.context.sandbox !== true ? 'read' : access
  shell.findings.path(source?.startsWith('file://') === true ? text(source.slice(7)) : field, as, invocation.state.cwds)
  if (program.copies === true && source !== null && PROGRAM_FOLDERS.has(source.slice(0, Math.max(1, source.lastIndexOf('/'))))) {
    shell.findings.category('obfuscated')
  }
}

/** A word of unknown meaning: a path when it looks like one, after `=`, `@`, `:` or a one-letter option. */
export function scan(field: Field, running: Running): void {
  const { shell, invocation } = running
  if (originOf(field) === 'derived') shell.findings.category('obfuscated')
  const prefix = prefixOf(field)
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(prefix) && !prefix.startsWith('file:')) return
  const start = /^(?:--?[\w-]+=|[\w.-]+=|-[A-Za-z](?=[/~.])|@|[\w.-]+=@|file:\/\/|\w+:(?=\/))*/.exec(prefix)?.[0].length ?? 0
  const rest = start === 0 ? field : dropText(field, start)
  if (rest === null) return
  const head = prefixOf(rest)
  const looksLikePath = /^(?:\/|~|\.)/.test(head) || (head === '' ? false : patternOf(rest).includes('/'))
  if (looksLikePath && !/^-/.test(head)) shell.findings.path(expandHome(rest, running), 'read', invocation.state.cwds)
}

function expandHome(field: Field, { shell }: Running): Field {
  if (!/^~(?:\/|$)/.test(prefixOf(field))) return field
  return [...text(shell.home), ...(dropText(field, 1) ?? [])]
}

/** Remembers that a file was written here. `isNew`: with text that was not in the workspace before. */
export function written(
  field: Field,
  { shell, invocation }: Running,
  content: Value | null,
  { isNew }: { readonly isNew: boolean },
): void {
  const path = textOf(field)
  if (path === null) return
  for (const cwd of invocation.state.cwds ?? []) shell.findings.wrote(absolutePath(path, cwd), content, { isNew })
}

/** What an undo of the workspace cannot bring back: things outside, the whole workspace, its history, what is not known. */
export function judgeDestruction(operands: readonly Field[], shell: Shell, { state }: Invocation): void {
  const { workspace } = shell.context
  for (const field of operands) {
    const source = textOf(field)
    const isUnsure = source === null && (originOf(field) === 'content' || originOf(field) === 'derived')
    const paths = source === null ? [] : (state.cwds ?? ['/']).map((cwd) => absolutePath(source, cwd))
    const isBad = paths.some(
      (path) =>
        workspace === path ||
        workspace.startsWith(`${path}/`) ||
        path === `${workspace}/.git` ||
        (!path.startsWith(`${workspace}/`) && !path.startsWith('/tmp/')),
    )
    if (isUnsure || isBad) shell.findings.category('destructive' satisfies Category)
  }
}

export function fileContent(path: string, { shell, invocation }: Running): Value | null | undefined {
  for (const cwd of invocation.state.cwds ?? []) {
    const content = shell.findings.contentOf(absolutePath(path, cwd))
    if (content !== undefined) return content
  }
  return undefined
}
