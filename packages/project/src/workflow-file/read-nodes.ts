import type { FieldRule, Graph, GraphNode, ModelField, BranchTest } from '@tidegate/runtime'
import { isObject, type Json } from '@tidegate/kernel'
import { nearestName, suggest } from '../yaml/did-you-mean.ts'
import { explainIssues } from '../yaml/issues.ts'
import {
  type BranchText,
  type ClassifyText,
  type ConditionText,
  type ExtractText,
  type FieldText,
  type FinishText,
  type GiveUpText,
  NODE_SCHEMAS,
  type OperationText,
  TESTS,
} from './node-schema.ts'
import type { Finding, Path } from '../yaml/problem.ts'

/** The nodes of a graph that could be read, their checked text for the version, and what is wrong with the others. */
export interface ReadNodes {
  readonly nodes: Graph['nodes']
  readonly checked: Readonly<Record<string, unknown>>
  readonly findings: readonly Finding[]
}

type Read = { readonly node: GraphNode; readonly checked: unknown } | readonly Finding[]

/** Reads the nodes of a graph one by one, so that a mistake is reported in the words of the kind of node it stands in. */
export function readNodes(raw: Readonly<Record<string, unknown>>, path: Path): ReadNodes {
  const nodes = new Map<string, GraphNode>()
  const checked: Record<string, unknown> = {}
  const findings: Finding[] = []
  for (const [name, value] of Object.entries(raw)) {
    const at = [...path, name]
    const misnamed = refuseName(name)
    if (misnamed !== undefined) findings.push({ path: at, atKey: true, message: misnamed })
    const read = readNode(name, value as Json, at)
    if ('node' in read) {
      nodes.set(name, read.node)
      checked[name] = read.checked
    } else findings.push(...read)
  }
  return { nodes, checked, findings }
}

function refuseName(name: string): string | undefined {
  if (name === 'again')
    return 'The name "again" is taken: the runtime notes under it that a model did not answer. Choose another.'
  return /^[a-z][a-z0-9-]{0,62}$/u.test(name) ? undefined : 'A node has small letters, digits and hyphens, such as "read-ticket".'
}

function readNode(name: string, value: Json, path: Path): Read {
  const kinds = Object.keys(NODE_SCHEMAS) as (keyof typeof NODE_SCHEMAS)[]
  if (!isObject(value)) return [{ path, message: `A node is a map with one of ${kinds.join(', ')}.` }]
  const given = kinds.filter((kind) => Object.hasOwn(value, kind))
  const [kind] = given
  if (kind === undefined)
    return [{ path, atKey: true, message: `A node has one of ${kinds.join(', ')}.${nearKind(value, kinds)}` }]
  if (given.length > 1) return [{ path, atKey: true, message: `A node is one thing, not ${given.join(' and ')}. Split it.` }]
  const parsed = NODE_SCHEMAS[kind].safeParse(value)
  if (!parsed.success) return explainIssues(parsed.error.issues, value, path)
  const node = buildNode(name, parsed.data, path)
  return 'kind' in node ? { node, checked: parsed.data } : node
}

function nearKind(value: Readonly<Record<string, Json>>, kinds: readonly string[]): string {
  const near = Object.keys(value).find((key) => nearestName(key, kinds) !== undefined)
  return near === undefined ? '' : suggest(near, kinds)
}

type NodeText = ClassifyText | ExtractText | OperationText | BranchText | FinishText | GiveUpText

function buildNode(name: string, data: NodeText, path: Path): GraphNode | readonly Finding[] {
  if ('classify' in data) return buildClassify(data, path)
  if ('extract' in data) return buildExtract(data, path)
  if ('branch' in data) return buildBranch(data, path)
  if ('finish' in data) return { kind: 'finish', reason: data.finish, escalate: data.escalate }
  if ('giveUp' in data) return { kind: 'give_up', reason: data.giveUp }
  const { operation, arguments: args, goal, confidence, next } = data
  const justification = data.justification === '' ? `The step "${name}" of the workflow says so.` : data.justification
  const edges = { next, onFailed: data.onFailed ?? null, onInvalid: data.onInvalid ?? null }
  return { kind: 'operation', operation, arguments: args, goal, justification, confidence, ...edges }
}

function buildClassify({ classify, rules, otherwise, model, classes }: ClassifyText, path: Path): GraphNode | readonly Finding[] {
  const known = Object.keys(classes)
  if (known.length === 0) return [{ path: [...path, 'classes'], message: 'Name at least one class and the node it leads to.' }]
  const common = { kind: 'classify', texts: classify, classes: new Map(Object.entries(classes)) } as const
  if (model !== undefined) {
    if (rules !== undefined || otherwise !== undefined)
      return [{ path: [...path, 'model'], atKey: true, message: 'Either a model classifies or rules do. Remove one of the two.' }]
    return { ...common, by: { kind: 'model', instructions: model.question, confidence: model.confidence } }
  }
  if (rules === undefined)
    return [{ path, atKey: true, message: 'Say how to classify: with rules and otherwise, or with model.' }]
  if (otherwise === undefined)
    return [{ path: [...path, 'otherwise'], message: '"otherwise" is missing. Say which class it is when no rule matches.' }]
  const named = [
    ...rules.map((rule, i) => ({ class: rule.class, path: [...path, 'rules', i, 'class'] })),
    { class: otherwise.class, path: [...path, 'otherwise', 'class'] },
  ]
  const unknown = named.filter((verdict) => !known.includes(verdict.class))
  if (unknown.length > 0)
    return unknown.map((verdict) => ({
      path: verdict.path,
      message: `There is no class "${verdict.class}" in classes.${suggest(verdict.class, known)}`,
    }))
  const unused = known.filter((name) => !named.some((verdict) => verdict.class === name))
  if (unused.length > 0)
    return unused.map((name) => ({
      path: [...path, 'classes', name],
      atKey: true,
      message: `No rule gives the class "${name}". Write one, or remove the class.`,
    }))
  const when = rules.map(({ any, all, none, ...verdict }) => ({ ...verdict, when: { any, all, none } }))
  return { ...common, by: { kind: 'rules', rules: when, otherwise } }
}

function buildExtract({ extract, fields, model, next }: ExtractText, path: Path): GraphNode | readonly Finding[] {
  const entries = Object.entries(fields)
  if (entries.length === 0) return [{ path: [...path, 'fields'], message: 'Name at least one field.' }]
  const findings: Finding[] = []
  const rules = new Map<string, FieldRule>()
  const asked = new Map<string, ModelField>()
  for (const [name, field] of entries) {
    const rule = ruleOf(field)
    if (model === undefined && rule !== undefined) rules.set(name, rule)
    else if (model !== undefined && rule === undefined)
      asked.set(name, { type: field.type ?? 'string', description: field.describe ?? '', values: field.values ?? [] })
    else {
      const message =
        model === undefined
          ? 'Say what to look for: one of money, identifier, email, after (with before).'
          : 'A model is asked: use type, describe and values.'
      findings.push({ path: [...path, 'fields', name], atKey: true, message })
    }
  }
  if (findings.length > 0) return findings
  if (model === undefined) return { kind: 'extract', texts: extract, by: { kind: 'rules', fields: rules }, next }
  return {
    kind: 'extract',
    texts: extract,
    by: { kind: 'model', instructions: model.question, confidence: model.confidence, fields: asked },
    next,
  }
}

/** The one rule that a field states; undefined for none or several. */
function ruleOf({ money, identifier, email, after, before, pick }: FieldText): FieldRule | undefined {
  const stated: FieldRule[] = []
  if (money !== undefined) stated.push({ kind: 'money', currencies: money, pick })
  if (identifier !== undefined) stated.push({ kind: 'identifier', prefix: identifier, pick })
  if (email !== undefined) stated.push({ kind: 'email', pick })
  if (after !== undefined) stated.push({ kind: 'between', after, before: before ?? [], pick })
  return stated.length === 1 ? stated[0] : undefined
}

function buildBranch({ branch, otherwise }: BranchText, path: Path): GraphNode | readonly Finding[] {
  const findings: Finding[] = []
  const conditions = branch.flatMap((text, i) => {
    const test = testOf(text)
    if (test === undefined)
      findings.push({ path: [...path, 'branch', i], message: `A condition has exactly one of ${TESTS.join(', ')}.` })
    return test === undefined ? [] : [{ value: text.if, test, next: text.next }]
  })
  return findings.length > 0 ? findings : { kind: 'branch', conditions, otherwise }
}

function testOf(text: ConditionText): BranchTest | undefined {
  const given = TESTS.filter((test) => text[test] !== undefined)
  const [kind] = given
  if (kind === undefined || given.length > 1) return undefined
  if (kind === 'equals') return text.equals === undefined ? undefined : { kind, expected: text.equals }
  if (kind === 'in') return text.in === undefined ? undefined : { kind, expected: text.in }
  if (kind === 'exists') return text.exists === undefined ? undefined : { kind, expected: text.exists }
  const expected = text[kind]
  return expected === undefined ? undefined : { kind, expected }
}
