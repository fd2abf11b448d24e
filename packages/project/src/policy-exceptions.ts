import type { Configuration } from './configuration/schema.ts'
import { ProjectError } from './error.ts'
import type { ProjectPolicyFile } from './policy-files.ts'
import { suggest } from './yaml/did-you-mean.ts'

type Exceptions = Configuration['exceptions']

/**
 * Takes operations out of policies of the profile, as the project says: each such policy gets one more `unless`. What is then in force is the
 * text with it, so that plans, versions and explanations show it.
 *
 * @throws ProjectError `configuration_invalid` for a policy that the profile does not have or that permits, and for operations that nobody declares.
 */
export function withExceptions(
  files: readonly ProjectPolicyFile[],
  exceptions: Exceptions,
  operations: readonly string[],
): readonly ProjectPolicyFile[] {
  return exceptions.reduce((all, exception) => exceptOne(all, exception, operations), files)
}

function exceptOne(
  files: readonly ProjectPolicyFile[],
  { policy, operations: patterns }: Exceptions[number],
  operations: readonly string[],
): readonly ProjectPolicyFile[] {
  const place = files.findIndex(({ layer, text }) => layer === 'profile' && text.includes(annotation(policy)))
  const file = files[place]
  if (file === undefined) throw refused(`the profile has no policy "${policy}".${suggest(policy, idsIn(files))}`)
  const start = file.text.indexOf(annotation(policy))
  const end = statementEnd(file.text, start)
  const statement = file.text.slice(start, end)
  if (!/^\s*forbid\s*\(/m.test(statement))
    throw refused(`"${policy}" permits. An exception takes operations out of a policy that forbids.`)
  const actions = fitting(patterns, operations).map((id) => `Action::${JSON.stringify(id)}`)
  const text = `${file.text.slice(0, end)}\nunless { action in [${actions.join(', ')}] }${file.text.slice(end)}`
  return files.with(place, { ...file, text })
}

function annotation(policy: string): string {
  return `@id(${JSON.stringify(policy)})`
}

function idsIn(files: readonly ProjectPolicyFile[]): readonly string[] {
  return files.flatMap(({ layer, text }) =>
    layer === 'profile' ? [...text.matchAll(/@id\("([^"]+)"\)/g)].map(([, id]) => id ?? '') : [],
  )
}

/** Where the statement ends that begins at a place: its semicolon, outside of texts and comments. */
function statementEnd(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    const char = text[at]
    if (char === ';') return at
    if (char === '/' && text[at + 1] === '/') at = text.indexOf('\n', at)
    else if (char === '"') for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === '\\') at++
    if (at < 0) break
  }
  return text.length
}

function fitting(patterns: readonly string[], operations: readonly string[]): readonly string[] {
  const found = patterns.flatMap((pattern) => {
    const ids = operations.filter((id) => (pattern.endsWith('.*') ? id.startsWith(pattern.slice(0, -1)) : id === pattern))
    if (ids.length === 0) throw refused(`no operation fits "${pattern}".${suggest(pattern, operations)}`)
    return ids
  })
  return [...new Set(found)].toSorted()
}

function refused(why: string): ProjectError {
  return new ProjectError('configuration_invalid', `An exception in tidegate.yaml is refused: ${why}`)
}
