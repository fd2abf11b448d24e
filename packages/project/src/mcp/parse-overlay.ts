import {
  type FieldOrigin,
  type FlowDeclaration,
  isObject,
  type Origin,
  type Overlay,
  type ToolClassification,
} from '@tidegate/kernel'
import { explainIssues } from '../yaml/issues.ts'
import { parseYaml } from '../yaml/parse-yaml.ts'
import type { FileProblem, Finding } from '../yaml/problem.ts'
import { checkTool } from './check-tool.ts'
import { type OverlayDocument, overlaySchema, type ToolDocument } from './overlay-schema.ts'

export type OverlayAnswer =
  | { readonly ok: true; readonly overlay: Overlay }
  | { readonly ok: false; readonly problems: readonly FileProblem[] }

const MAX_PROBLEMS = 50

/**
 * Reads an overlay, or says everything that is wrong with it, where, and what to do about it. Whether it fits the tools
 * of the server can only be told once the server has listed them.
 */
export function parseOverlay(text: string | Uint8Array, file: string): OverlayAnswer {
  const yaml = parseYaml(text, file)
  if (!yaml.ok) return yaml
  if (!isObject(yaml.value)) {
    const message = 'An overlay is a map of keys and values; start with "tools:".'
    return { ok: false, problems: [{ file, line: 1, column: 1, path: '', message }] }
  }
  const parsed = overlaySchema.safeParse(yaml.value)
  const findings = parsed.success ? [] : [...explainIssues(parsed.error.issues, yaml.value, [])]
  const made = parsed.success ? makeOverlay(parsed.data) : { overlay: {}, findings: [] }
  const problems = [...findings, ...made.findings].slice(0, MAX_PROBLEMS).map(yaml.place)
  if (problems.length > 0) return { ok: false, problems: problems.toSorted((a, b) => a.line - b.line || a.column - b.column) }
  return { ok: true, overlay: made.overlay }
}

function makeOverlay({ defaults, tools }: OverlayDocument) {
  const overlay: Record<string, Overlay[string]> = {}
  const findings: Finding[] = []
  for (const [name, tool] of Object.entries(tools)) {
    const at = (each: Finding): Finding => ({ ...each, path: ['tools', name, ...each.path] })
    if (tool.hidden === true) {
      if (Object.keys(tool).length > 1)
        findings.push(at({ path: ['hidden'], message: 'A hidden tool is never called: remove what else is said of it.' }))
      overlay[name] = { hidden: true }
      continue
    }
    const entry = classify(tool, defaults)
    if ('missing' in entry) findings.push(...entry.missing.map((field) => at(missing(field))))
    else {
      findings.push(...checkTool(entry, tools).map(at))
      overlay[name] = entry
    }
  }
  return { overlay, findings }
}

function missing(field: string): Finding {
  return { path: [field], message: `"${field}" is missing. Write it here, or under defaults for all tools.` }
}

type Classified = ToolClassification | { readonly missing: readonly string[] }

function classify(tool: ToolDocument, defaults: OverlayDocument['defaults']): Classified {
  const { mutability, dataClass, blastRadius, risk } = { ...defaults, ...tool }
  if (mutability === undefined || dataClass === undefined || blastRadius === undefined || risk === undefined) {
    const wanted = { mutability, dataClass, blastRadius, risk }
    return { missing: Object.entries(wanted).flatMap(([field, value]) => (value === undefined ? [field] : [])) }
  }
  const { hidden: _, timeout = defaults.timeout, settle = defaults.settle, flow, origins, ...rest } = tool
  const plainFlow = flow === undefined ? undefined : (JSON.parse(JSON.stringify(flow)) as FlowDeclaration) // drops what is undefined
  const said = origins ?? (plainFlow === undefined ? undefined : originsOf(plainFlow))
  // Sound: the same, without the members that are undefined.
  return JSON.parse(
    JSON.stringify({
      ...rest,
      ...{ mutability, dataClass, blastRadius, risk, timeoutMs: timeout, settleMs: settle, origins: said, flow: plainFlow },
    }),
  ) as ToolClassification
}

/** Who wrote each part, as a flow declaration says it: for a tool that says it there alone. */
function originsOf({ outputs }: FlowDeclaration): Readonly<Record<string, Origin>> {
  return Object.fromEntries(Object.entries(outputs).map(([pointer, { origin }]) => [pointer, ORIGIN[origin]]))
}

const ORIGIN: Readonly<Record<FieldOrigin, Origin>> = {
  system: 'system',
  user: 'user',
  member: 'third-party',
  'third-party': 'third-party',
  arguments: 'model',
}
