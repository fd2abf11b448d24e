import { declaredFacts } from '../action/policy-request.ts'
import { canonicalJson } from '../canonical/canonical.ts'
import type { Json, JsonObject } from '../canonical/json.ts'
import type { Operation } from '../action/operation.ts'
import type { DeclaredFacts } from '../policy/decision.ts'
import type { Hasher } from '../ports/hasher.ts'
import type { Workflow } from '../run/workflow.ts'
import { textDigest } from './recorded-text.ts'

/** What is declared at one time: enough to put the questions again that policy was asked, and to show what has changed since. */
export interface Listing {
  readonly operations: Readonly<Record<string, ListedOperation>>
  readonly workflows: Readonly<Record<string, ListedWorkflow>>
}

/** An operation as it was declared. */
export interface ListedOperation {
  readonly tool: string
  /** Hex schema version. */
  readonly version: string
  /** Digest of the recorded declaration, see {@link declarationText}. */
  readonly declaration: string
  readonly facts: Omit<DeclaredFacts, 'environment' | 'stage'>
}

/** A workflow as it was in force. */
export interface ListedWorkflow {
  readonly version: string
  readonly agent: string
  readonly environment: string
  readonly stage: number
  /** Digest of the standing instructions to its model, or null when it has none. */
  readonly prompt: string | null
}

/** A workflow, with what its model is told. */
export interface PromptedWorkflow {
  readonly workflow: Pick<Workflow, 'name' | 'version' | 'agent' | 'environment' | 'stage'>
  readonly prompt?: string
}

/** Lists what is declared now. */
export function listDeclared(hasher: Hasher, operations: readonly Operation[], workflows: readonly PromptedWorkflow[]): Listing {
  return {
    operations: Object.fromEntries(operations.map((operation) => [operation.id, listOperation(hasher, operation)])),
    workflows: Object.fromEntries(
      workflows.map(({ workflow: { name, version, agent, environment, stage }, prompt }) => [
        name,
        { version, agent, environment, stage, prompt: prompt === undefined ? null : textDigest(hasher, prompt) },
      ]),
    ),
  }
}

function listOperation(hasher: Hasher, operation: Operation): ListedOperation {
  const { environment: _, stage: __, ...facts } = declaredFacts(operation, { environment: '', stage: 0 })
  const declaration = textDigest(hasher, declarationText(operation))
  return { tool: operation.tool, version: operation.schemaVersion, declaration, facts }
}

/** What was declared of an operation within a workflow, or undefined when the listing has not both. */
export function declaredIn(
  { operations, workflows }: Listing,
  operation: string,
  workflow: string,
): { readonly tool: string; readonly facts: DeclaredFacts } | undefined {
  const listed = Object.hasOwn(operations, operation) ? operations[operation] : undefined
  const within = Object.hasOwn(workflows, workflow) ? workflows[workflow] : undefined
  if (listed === undefined || within === undefined) return undefined
  return { tool: listed.tool, facts: { ...listed.facts, environment: within.environment, stage: within.stage } }
}

/** Everything of an operation that is plain data, as canonical JSON: what people compare when a tool has changed. */
export function declarationText(operation: Operation): string {
  const { input, output, compensation, ...plain } = operation
  const declaration = {
    ...plain,
    input: input.jsonSchema,
    output: output.jsonSchema,
    canCompensate: compensation !== undefined,
  }
  return canonicalJson(JSON.parse(JSON.stringify(declaration)) as Json) // plain data: functions were taken out above
}

/** A listing as the text that is recorded. */
export function encodeListing(listing: Listing): string {
  return canonicalJson(listing as unknown as JsonObject) // plain data throughout
}

/** Reads a listing back that {@link encodeListing} wrote, from a text that has its digest. */
export function decodeListing(text: string): Listing {
  return JSON.parse(text) as Listing
}

/** Names of what is new, gone or other than before, operations first. */
export function changedNames(before: Listing | undefined, after: Listing): readonly string[] {
  return [
    ...changedKeys(before?.operations ?? {}, after.operations, (listed) => `${listed.version} ${listed.declaration}`),
    ...changedKeys(before?.workflows ?? {}, after.workflows, (listed) => canonicalJson({ ...listed })).map(
      (name) => `workflow ${name}`,
    ),
  ]
}

function changedKeys<T>(
  before: Readonly<Record<string, T>>,
  after: Readonly<Record<string, T>>,
  identity: (value: T) => string,
): readonly string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted()
  const of = (map: Readonly<Record<string, T>>, name: string): string | undefined => {
    const value = Object.hasOwn(map, name) ? map[name] : undefined
    return value === undefined ? undefined : identity(value)
  }
  return names.filter((name) => of(before, name) !== of(after, name))
}
