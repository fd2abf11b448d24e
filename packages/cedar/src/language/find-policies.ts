import type { DetailedError, Policy, TemplateLink } from '@cedar-policy/cedar-wasm/nodejs'
import type { EstPolicy } from '@tidegate/kernel'
import type { PolicyIssue } from '../error.ts'
import type { PolicyFile } from '../load.ts'
import { offsetOfByte, positionAt } from '../position.ts'
import { splitPolicies } from '../segment.ts'
import { parsePolicyExactly } from './exact-policy.ts'
import { type JsonPolicy, readPolicyJson } from './policy-json.ts'

/** A policy or template in a file. */
export interface FoundPolicy {
  readonly id: string
  readonly template: boolean
  readonly policy: EstPolicy
  readonly file: string
  readonly fileText: string
  /** The UTF-16 offset of the policy in its file. */
  readonly start: number
  readonly line: number
  readonly column: number
  readonly text: string
  /** What Cedar is given: the text, or the JSON form. */
  readonly asWritten: Policy
}

export interface FoundPolicies {
  readonly policies: readonly FoundPolicy[]
  /** Links that came with a JSON policy set. */
  readonly links: readonly TemplateLink[]
  readonly issues: readonly PolicyIssue[]
}

/** Reads the policies of all files, with every mistake and its place. */
export function findPolicies(files: readonly PolicyFile[], ids: 'position' | 'annotation'): FoundPolicies {
  const issues: PolicyIssue[] = []
  const policies = new Map<string, FoundPolicy>()
  const links: TemplateLink[] = []
  for (const source of files) {
    const read = source.file.endsWith('.json') ? readJsonFile(source, links) : readTextFile(source, issues)
    for (const each of read) {
      const generated = `policy${policies.size}`
      const annotated = ids === 'annotation' ? each.policy.annotations?.id : undefined
      const id = each.id ?? annotated ?? generated
      const other = policies.get(id)
      if (other !== undefined) issues.push(duplicate(each, id, other))
      else policies.set(id, { ...each, id })
    }
  }
  return { policies: [...policies.values()], links, issues }
}

type Unnamed = Omit<FoundPolicy, 'id'> & { readonly id: string | undefined }

function readTextFile(source: PolicyFile, issues: PolicyIssue[]): readonly Unnamed[] {
  const { file, text: fileText } = source
  const split = splitPolicies(fileText)
  if (!split.ok) {
    const { at, code, message } = split.refusal
    issues.push({ code, file, ...positionAt(fileText, at), message })
    return []
  }
  const position = placesIn(fileText)
  return split.segments.flatMap(({ start, text }) => {
    const parsed = parsePolicyExactly(text)
    if (!parsed.ok) {
      issues.push(...parsed.errors.map((error) => syntaxIssue(error, file, fileText, start, text)))
      return []
    }
    const { policy, template } = parsed
    return [{ id: undefined, template, policy, file, fileText, start, ...position(start), text, asWritten: text }]
  })
}

function readJsonFile({ file, text }: PolicyFile, links: TemplateLink[]): readonly Unnamed[] {
  const read = readPolicyJson(text, file)
  links.push(...read.links)
  return read.policies.map(({ id, template, policy, asWritten }: JsonPolicy) => {
    return { id, template, policy, file, fileText: text, start: 0, line: 1, column: 1, text: '', asWritten }
  })
}

/** Places of rising offsets in one text, each found from the one before: a file with many policies is read once. */
function placesIn(text: string): (offset: number) => { readonly line: number; readonly column: number } {
  let at = 0
  let line = 1
  let lineStart = 0
  return (offset) => {
    for (let next = text.indexOf('\n', at); next >= 0 && next < offset; next = text.indexOf('\n', at)) {
      line += 1
      at = next + 1
      lineStart = at
    }
    return { line, column: offset - lineStart + 1 }
  }
}

function syntaxIssue(error: DetailedError, file: string, fileText: string, start: number, text: string): PolicyIssue {
  const offset = start + offsetOfByte(text, error.sourceLocations?.[0]?.start ?? 0)
  const said = error.message.replace(/^failed to parse (?:policy|template) from string: /, '')
  const message = error.help === null ? said : `${said} (${error.help})`
  return { code: 'policy_syntax', file, ...positionAt(fileText, offset), message }
}

function duplicate(policy: Unnamed, id: string, other: FoundPolicy): PolicyIssue {
  const message = `the id "${id}" is taken by the policy at ${other.file}:${other.line}`
  return { code: 'policy_duplicate_id', file: policy.file, line: policy.line, column: policy.column, message }
}
