import type { CedarSchema } from '@tidegate/cedar'
import type { Operation, PolicyRequest, Workflow } from '@tidegate/kernel'
import { type Finding, suggest } from '@tidegate/project'
import { completeArguments } from '../request/example-arguments.ts'
import { type FactOverrides, type MONDAY_NOON, requestOf } from '../request/facts.ts'
import type { ContextText, SituationText } from './case-schema.ts'

/** What cases are held against. */
export interface CaseGround {
  readonly operations: readonly Operation[]
  readonly workflows: readonly Workflow[]
  readonly schema: CedarSchema
  /** IANA, of the project. */
  readonly timeZone: string
}

/** The request of a case, or what is wrong with it; paths are relative to the case. */
export type CaseRequest =
  | { readonly ok: true; readonly request: PolicyRequest }
  | { readonly ok: false; readonly findings: readonly Finding[] }

/** Makes the request of a case; what it does not say, the defaults of its file say, and then the declarations. */
export function caseRequest(text: SituationText, defaults: SituationText, ground: CaseGround): CaseRequest {
  const context: ContextText = { ...defaults.context, ...text.context }
  const workflow = findWorkflow(text.workflow ?? defaults.workflow, ground.workflows)
  const operation = findOperation(text.operation ?? defaults.operation, ground.operations)
  const findings = [
    ...(Array.isArray(workflow) ? workflow : []),
    ...(Array.isArray(operation) ? operation : []),
    ...unknownMeters(context, ground.schema),
  ]
  if ('name' in workflow && 'id' in operation) findings.push(...unknownArguments(text, operation))
  if (findings.length > 0 || !('name' in workflow) || !('id' in operation)) return { ok: false, findings }
  const given = { ...(text.operation === undefined ? defaults.arguments : undefined), ...text.arguments }
  const [user, client] = [text.user ?? defaults.user, text.client ?? defaults.client]
  const situation = {
    workflow,
    operation,
    arguments: completeArguments(ground.schema.arguments[operation.id], given),
    facts: overridesOf(context, ground.timeZone),
    ...(user === undefined ? {} : { user }),
    ...(client === undefined ? {} : { client }),
  }
  return { ok: true, request: requestOf(situation, ground.schema.meters) }
}

function findWorkflow(name: string | undefined, workflows: readonly Workflow[]): Workflow | Finding[] {
  const [only, ...others] = workflows
  if (name === undefined && only !== undefined && others.length === 0) return only
  const names = workflows.map((each) => each.name)
  if (name === undefined)
    return [{ path: ['workflow'], message: `Say in which workflow: ${names.join(', ') || 'the project has none that can run'}.` }]
  const found = workflows.find((each) => each.name === name)
  return found ?? [{ path: ['workflow'], message: `There is no workflow "${name}" that can run.${suggest(name, names)}` }]
}

function findOperation(id: string | undefined, operations: readonly Operation[]): Operation | Finding[] {
  if (id === undefined) return [{ path: ['operation'], message: 'Say which operation, here or in the defaults.' }]
  const ids = operations.map((each) => each.id)
  const found = operations.find((each) => each.id === id)
  return found ?? [{ path: ['operation'], message: `No tool declares "${id}".${suggest(id, ids)}` }]
}

function unknownArguments({ arguments: given = {} }: SituationText, operation: Operation): readonly Finding[] {
  const { properties } = operation.input.jsonSchema
  const known = typeof properties === 'object' && properties !== null ? Object.keys(properties) : []
  return Object.keys(given)
    .filter((name) => !known.includes(name))
    .map((name) => ({
      path: ['arguments', name],
      atKey: true,
      message: `${operation.id} has no argument "${name}".${suggest(name, known)}`,
    }))
}

function unknownMeters({ meters = {} }: ContextText, schema: CedarSchema): readonly Finding[] {
  return Object.keys(meters)
    .filter((name) => !schema.meters.includes(name))
    .map((name) => ({
      path: ['context', 'meters', name],
      atKey: true,
      message: `The project declares no meter "${name}".${suggest(name, schema.meters)}`,
    }))
}

/** The facts under the names of the request. A time without an hour or a weekday has those of the project's time zone. */
function overridesOf({ now, hour, weekday, ...facts }: ContextText, timeZone: string): FactOverrides {
  const time = now === undefined ? {} : timeAt(Date.parse(now), timeZone)
  const said = { ...time, ...(hour === undefined ? {} : { hour }), ...(weekday === undefined ? {} : { weekday }) }
  // Sound: a fact that is undefined is one that is not said, and such keys are dropped.
  return defined({ ...facts, time: said }) as FactOverrides
}

const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

function timeAt(nowMs: number, timeZone: string): typeof MONDAY_NOON {
  const format = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', hourCycle: 'h23', weekday: 'short' })
  const parts = new Map(format.formatToParts(nowMs).map(({ type, value }) => [type, value]))
  return { nowMs, hour: Number(parts.get('hour')), weekday: WEEKDAYS.indexOf(parts.get('weekday') ?? '') + 1 }
}

function defined(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined))
}
