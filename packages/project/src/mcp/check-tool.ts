import type { ToolClassification } from '@tidegate/kernel'
import type { Finding, Path } from '../yaml/problem.ts'
import type { OverlayDocument } from './overlay-schema.ts'

type Refuse = (path: Path, message: string) => void

/**
 * What is wrong with the fields of a tool together, as far as it can be told without its server. Each of these rules keeps a promise that
 * somebody relies on later.
 */
export function checkTool(entry: ToolClassification, tools: OverlayDocument['tools']): readonly Finding[] {
  const findings: Finding[] = []
  const refuse: Refuse = (path, message) => findings.push({ path, message })
  if (entry.mutability === 'read') checkRead(entry, refuse)
  else checkWrite(entry, refuse)
  checkRecords(entry, refuse)
  checkFlow(entry, refuse)
  for (const field of ['verify', 'reconcile'] as const) {
    const look = entry[field]
    const asked = look?.tool
    if (look?.equals !== undefined && look.absent === true)
      refuse([field, 'absent'], 'Cannot be together with equals: either something is there, or nothing is.')
    if (asked !== undefined && mutabilityOf(asked, tools) !== 'read')
      refuse([field, 'tool'], `"${asked.slice(0, 60)}" must stand under tools as a read: a look changes nothing.`)
  }
  const back = entry.compensate?.tool
  if (back !== undefined) {
    const mutability = mutabilityOf(back, tools)
    if (mutability === undefined || mutability === 'read')
      refuse(['compensate', 'tool'], `"${back.slice(0, 60)}" must stand under tools as a write: it takes the effect back.`)
    else if (tools[back]?.verify === undefined)
      refuse(['compensate', 'tool'], `"${back.slice(0, 60)}" declares no verify: an undo is believed only when it can be seen.`)
  }
  return findings
}

function mutabilityOf(name: string, tools: OverlayDocument['tools']): string | undefined {
  return Object.hasOwn(tools, name) ? tools[name]?.mutability : undefined
}

function checkRead(entry: ToolClassification, refuse: Refuse): void {
  const leftover = {
    idempotency: entry.idempotency === 'key',
    compensate: entry.compensate !== undefined,
    reconcile: entry.reconcile !== undefined,
    reversibility: entry.reversibility !== undefined && entry.reversibility !== 'reversible',
  }
  for (const [field, present] of Object.entries(leftover))
    if (present) refuse([field], 'Has no meaning for a read, which leaves nothing behind. Remove it, or declare a write.')
}

function checkWrite({ mutability, reversibility, compensate }: ToolClassification, refuse: Refuse): void {
  if (reversibility === undefined)
    refuse(['reversibility'], `Is missing: a ${mutability} is reversible, compensable or irreversible.`)
  if (compensate === undefined && (reversibility === 'reversible' || reversibility === 'compensable'))
    refuse(['reversibility'], `Says ${reversibility}: say under compensate which tool takes it back, or write irreversible.`)
  if (compensate !== undefined && reversibility === 'irreversible')
    refuse(['compensate'], 'Is there, but the tool is said to be irreversible. Write compensable, or remove this.')
}

function checkRecords({ mutability, blastRadius, records = [], maxRecords }: ToolClassification, refuse: Refuse): void {
  if (records.length === 0 && mutability !== 'read' && (blastRadius === 'single' || blastRadius === 'batch'))
    refuse(
      ['records'],
      `Is missing: a ${mutability} of blast radius "${blastRadius}" touches records. List the arguments that name them, such as ["/path"].`,
    )
  if (blastRadius === 'single' && maxRecords !== undefined && maxRecords !== 1)
    refuse(['maxRecords'], 'Must be 1 for blast radius "single". Leave it out, or write "batch".')
  if (blastRadius === 'batch' && maxRecords === undefined)
    refuse(['maxRecords'], 'Is missing: say how many records one call of a "batch" may name.')
}

const OUTPUT = /^$|^\/(?:content|structured)(?:\/|$)/u

function checkFlow({ mutability, records = [], origins = {}, flow }: ToolClassification, refuse: Refuse): void {
  for (const pointer of Object.keys(origins)) if (!OUTPUT.test(pointer)) refuse(['origins', pointer], OUTPUT_HELP)
  if (flow === undefined) return
  for (const pointer of Object.keys(flow.outputs)) if (!OUTPUT.test(pointer)) refuse(['flow', 'outputs', pointer], OUTPUT_HELP)
  for (const [pointer, { role, type, words }] of Object.entries(flow.inputs)) {
    const at: Path = ['flow', 'inputs', pointer]
    if (role === 'text' && type !== 'text') refuse(at, `Has the role "text", but the type "${type}". A typed value is a "value".`)
    if (role === 'sink' && (type === 'flag' || type === 'text'))
      refuse(at, `Has the role "sink", but a ${type} selects no target.`)
    if (words !== undefined && type !== 'enum') refuse(at, 'Has "words", which say what the values of an "enum" are called.')
    if (mutability !== 'read' && role !== 'sink' && records.some((record) => pointer === record || pointer === `${record}/*`))
      refuse(at, `Names a record that the call changes: its role is "sink", not "${role}".`)
  }
  if (flow.egress === 'none' && flow.egressVia !== undefined)
    refuse(['flow', 'egressVia'], 'Names a way to others, but egress is "none". Say who learns of the call, or remove it.')
}

const OUTPUT_HELP = 'Leads to no part of an output: those of MCP tools are /content/*/text and its siblings, and /structured/...'
