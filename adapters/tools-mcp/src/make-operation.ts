import { createHash } from 'node:crypto'
import {
  canonicalJson,
  type Json,
  type JsonObject,
  type Nature,
  NATURES,
  type Operation,
  type ToolClassification,
  type ToolTakeBack,
} from '@tidegate/kernel'
import type { Definition, Definitions, Hints } from './definition.ts'
import { sayName } from './definition.ts'
import { deriveArguments } from './derive.ts'
import { MAX_TOOLS } from './limits.ts'
import { verbOf } from './operation-id.ts'
import { outputShape } from './output.ts'
import { placeIn } from './schema/place.ts'
import { inputShape } from './schema/shape.ts'
import type { McpServer } from './server.ts'

/** An operation, with the tool of the server behind it. */
export interface Offered {
  readonly operation: Operation
  /** As the server calls it. */
  readonly toolName: string
  readonly pin: string
  readonly input: JsonObject
  /** Arguments of it are to be repeated in headers (2026-07-28, `x-mcp-header`), over HTTP. */
  readonly isMirrored: boolean
  readonly classified: ToolClassification | undefined
}

/** What a server offers, once the owner's words are laid over it. */
export interface Offer {
  /** By operation id. */
  readonly byId: ReadonlyMap<string, Offered>
  readonly hidden: readonly string[]
  readonly issues: readonly string[]
}

/** The most records that one call of a wide operation may name. */
const MAX_RECORDS = 1_000

/**
 * Makes operations of what a server defines.
 *
 * What the owner says in the overlay holds; a tool that the overlay does not name is unclassified: a write of high risk, of unknown nature,
 * that cannot be taken back. What a server says about itself is told and lowers nothing. Where two tools would have one id, or the overlay
 * contradicts the tool, the tool is left out and an issue says why.
 */
export function makeOffer(server: McpServer, definitions: Definitions): Offer {
  const issues = [...definitions.issues]
  const { hidden, byVerb } = sortOut(server, definitions, issues)
  const byId = new Map<string, Offered>()
  for (const [verb, named] of byVerb) {
    const [only] = named
    if (named.length > 1 || only === undefined) {
      const names = named.map(({ name }) => sayName(name)).join(' and ')
      issues.push(
        `${names} would both be ${server.name}.${verb}: give one of them an id in the overlay; until then both are left out`,
      )
      continue
    }
    const classified = classificationOf(server, only.name)
    const faults = classified === undefined ? [] : contradictions(classified, only, server, definitions)
    if (faults.length > 0) issues.push(`${sayName(only.name)}: ${faults.join('; ')}, so it is left out`)
    else if (byId.size >= MAX_TOOLS) {
      issues.push(`the server has more than ${MAX_TOOLS} tools: ${sayName(only.name)} and those after it are left out`)
      break
    } else {
      const offered = offer(server, verb, only, classified)
      byId.set(offered.operation.id, offered)
    }
  }
  for (const [name, { notes, findings }] of definitions.tools) {
    if (findings.length > 0) issues.push(`${sayName(name)}: found in its description: ${findings.join(', ')}`)
    issues.push(...notes.map((note) => `${sayName(name)}: ${note}`))
  }
  return { byId, hidden, issues }
}

/** Those that the owner has named come first, so that a flood of others cannot displace them. */
function sortOut(server: McpServer, { tools }: Definitions, issues: string[]) {
  const hidden: string[] = []
  const byVerb = new Map<string, Definition[]>()
  for (const name of Object.keys(server.overlay))
    if (!tools.has(name)) issues.push(`the overlay speaks of ${sayName(name)}, which the server does not offer`)
  const isNamed = (name: string): boolean => Object.hasOwn(server.overlay, name)
  const ordered = [...tools.values()].toSorted((a, b) => Number(isNamed(b.name)) - Number(isNamed(a.name)))
  for (const definition of ordered) {
    const entry = isNamed(definition.name) ? server.overlay[definition.name] : undefined
    if (entry !== undefined && 'hidden' in entry) hidden.push(definition.name)
    else {
      const verb = entry?.id ?? verbOf(definition.name)
      byVerb.set(verb, [...(byVerb.get(verb) ?? []), definition])
    }
  }
  return { hidden, byVerb }
}

function classificationOf(server: McpServer, name: string): ToolClassification | undefined {
  const entry = Object.hasOwn(server.overlay, name) ? server.overlay[name] : undefined
  return entry === undefined || 'hidden' in entry ? undefined : entry
}

/** Where the owner's words do not fit the tool as the server defines it. */
function contradictions(
  entry: ToolClassification,
  { input }: Definition,
  server: McpServer,
  { tools }: Definitions,
): readonly string[] {
  const faults: string[] = []
  for (const pointer of entry.records ?? []) {
    const place = placeIn(input, pointer)
    if (place === undefined) faults.push(`"${pointer}" under records leads to no argument`)
    else if (!place.required) faults.push(`"${pointer}" under records may be missing`)
  }
  for (const pointer of [...Object.keys(entry.flow?.inputs ?? {}), ...(entry.flow?.egressVia ?? [])])
    if (placeIn(input, pointer) === undefined) faults.push(`"${pointer}" under flow leads to no argument`)
  for (const [field, look] of [
    ['verify', entry.verify],
    ['reconcile', entry.reconcile],
  ] as const) {
    if (look === undefined) continue
    const asked = classificationOf(server, look.tool)
    if (!tools.has(look.tool)) faults.push(`${field} asks ${sayName(look.tool)}, which the server does not offer`)
    else if (asked?.mutability !== 'read')
      faults.push(`${field} asks ${sayName(look.tool)}, which the overlay does not call a read`)
  }
  const back = entry.compensate
  if (back !== undefined) {
    const target = classificationOf(server, back.tool)
    if (!tools.has(back.tool)) faults.push(`compensate names ${sayName(back.tool)}, which the server does not offer`)
    else if (target === undefined || target.mutability === 'read')
      faults.push(`compensate names ${sayName(back.tool)}, which the overlay does not call a write`)
    else if (target.verify === undefined)
      faults.push(
        `compensate names ${sayName(back.tool)}, which declares no verify: an undo is believed only when it can be seen`,
      )
  }
  return faults
}

function offer(server: McpServer, verb: string, definition: Definition, classified: ToolClassification | undefined): Offered {
  const input = inputShape(definition.input)
  const output = outputShape(definition.output)
  const id = `${server.name}.${verb}`
  const declared = { ...textsOf(definition, classified), id, tool: server.name, ...classesOf(server, classified) }
  const flow =
    classified?.flow === undefined
      ? {}
      : { flow: JSON.parse(JSON.stringify(classified.flow)) as typeof classified.flow & JsonObject } // plain data
  const back = classified?.compensate
  const looks = JSON.parse(
    JSON.stringify({ verify: classified?.verify ?? null, reconcile: classified?.reconcile ?? null, back: back ?? null }),
  ) as JsonObject // plain data
  const version = {
    ...declared,
    ...flow,
    ...looks,
    input: input.jsonSchema,
    output: output.jsonSchema,
    name: definition.name,
    pin: definition.pin,
  }
  const operation: Operation = {
    ...declared,
    ...flow,
    input,
    output,
    ...(back === undefined ? {} : { compensation: compensationOf(server, back) }),
    schemaVersion: createHash('sha256')
      .update(canonicalJson(version as { readonly [key: string]: Json })) // plain data: strings, numbers, lists of them, schemas
      .digest('hex'),
  }
  return {
    operation: Object.freeze(operation),
    toolName: definition.name,
    isMirrored: JSON.stringify(definition.input).includes('"x-mcp-header"'),
    pin: definition.pin,
    input: definition.input,
    classified,
  }
}

/** Everything of an operation that is plain data and not a text. */
function classesOf({ transport, timeoutMs }: McpServer, entry: ToolClassification | undefined) {
  const isRead = entry?.mutability === 'read'
  const given = transport.kind === 'stdio' ? transport.env : transport.headers
  return {
    mutability: entry?.mutability ?? ('write' as const),
    dataClass: entry?.dataClass ?? ('regulated' as const),
    blastRadius: entry?.blastRadius ?? ('cross-system' as const),
    risk: entry?.risk ?? ('high' as const),
    nature: natureOf(entry),
    reversibility: entry?.reversibility ?? (isRead ? ('reversible' as const) : ('irreversible' as const)),
    records: [...(entry?.records ?? [])],
    maxRecords: entry?.maxRecords ?? (entry?.blastRadius === 'single' ? 1 : MAX_RECORDS),
    origins: { ...entry?.origins },
    idempotency: entry?.idempotency ?? ('none' as const),
    timeoutMs: entry?.timeoutMs ?? timeoutMs,
    maxAttempts: entry?.maxAttempts ?? (isRead ? 3 : 1),
    settleMs: entry?.settleMs ?? (isRead ? 0 : timeoutMs),
    secrets: [...new Set(Object.values(given).flatMap((each) => ('secret' in each ? [each.secret] : [])))].sort(),
    canPreview: false,
    canReconcile: entry?.reconcile !== undefined,
    canVerify: entry?.verify !== undefined,
  }
}

/** In the order of the kernel's list. A write about whose nature nobody has said anything is unclassified. */
function natureOf(entry: ToolClassification | undefined): readonly Nature[] {
  if (entry === undefined) return ['unclassified']
  const said: readonly Nature[] = entry.nature ?? (entry.mutability === 'write' ? ['unclassified'] : [])
  return NATURES.filter((each) => said.includes(each) || (each === 'deletion' && entry.mutability === 'destructive'))
}

function textsOf({ name, title, description, hints, findings }: Definition, entry: ToolClassification | undefined) {
  const says = [
    entry?.description ?? (description === '' ? title : description),
    ...sayHints(hints),
    ...(findings.length === 0 ? [] : [`(Found in what the server wrote: ${findings.join(', ')}.)`]),
    `(Tool ${sayName(name)} of an MCP server.)`,
  ]
  return { title: entry?.title ?? title, description: says.join('\n').slice(0, 2_000) }
}

function sayHints({ readOnly, destructive, idempotent, openWorld }: Hints): readonly string[] {
  const words = [
    ...(readOnly === undefined ? [] : [readOnly ? 'only reads' : 'writes']),
    ...(destructive === undefined ? [] : [destructive ? 'may destroy' : 'destroys nothing']),
    ...(idempotent === true ? ['may be repeated'] : []),
    ...(openWorld === true ? ['reaches others'] : []),
  ]
  return words.length === 0 ? [] : [`(The server says of it, unverified: ${words.join(', ')}.)`]
}

/** Arguments that nobody can tell are `null`, which no operation accepts: the undo is refused and goes to a person. */
function compensationOf(server: McpServer, back: ToolTakeBack): NonNullable<Operation['compensation']> {
  const operation = `${server.name}.${classificationOf(server, back.tool)?.id ?? verbOf(back.tool)}`
  return (done) => ({ operation, arguments: deriveArguments(back.arguments, done) ?? null })
}
