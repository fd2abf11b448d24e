import {
  changedNames,
  declarationText,
  encodeListing,
  type Hasher,
  listDeclared,
  type Log,
  type Operation,
  type OperationsAccepted,
  type PromptedWorkflow,
  quarantined,
  textDigest,
  textEvents,
} from '@tidegate/kernel'
import type { Control } from '../control.ts'
import type { ChangeHistory } from './change-history.ts'
import { batches } from './policy-texts.ts'

/** What a start declares. */
export interface DeclaredProject {
  readonly control: Control
  readonly history: ChangeHistory
  readonly hasher: Hasher
  readonly log: Log
  readonly operations: readonly Operation[]
  readonly workflows: readonly PromptedWorkflow[]
  /** True when somebody has to accept changed operations. */
  readonly reviewed: boolean
  /** Tools that are declared by others, such as servers of MCP: a change of one that was accepted is accepted by people, and never by a start. */
  readonly foreign?: ReadonlySet<string>
}

/** Names in one record: with long ids and versions they fit into a leaf. */
const NAMED = 50
const ACCEPTED_AT_ONCE = 150

/**
 * Records what is declared, when it is other than before, and accepts operations that nobody has to accept: all of them at the first
 * start, and the changed ones where no reviewers are named. With reviewers the changed ones stay quarantined.
 */
export async function recordProject(project: DeclaredProject): Promise<void> {
  const { control, history, hasher, operations, workflows } = project
  const listing = listDeclared(hasher, operations, workflows)
  const text = encodeListing(listing)
  const digest = textDigest(hasher, text)
  if (control.state.listing !== digest) {
    const changed = changedNames(history.listingAt(Number.POSITIVE_INFINITY), listing)
    const fresh = [...operations.map(declarationText), text].filter((each) => !isRecorded(project, each))
    for (const batch of batches(fresh.flatMap((each) => textEvents(hasher, each))))
      await control.append(batch, { raisesEpoch: false })
    await control.append([{ type: 'project.loaded', listing: digest, changed: changed.slice(0, NAMED) }], { raisesEpoch: false })
  }
  await acceptOperations(project)
}

function isRecorded({ history, hasher }: DeclaredProject, text: string): boolean {
  return history.texts.get(textDigest(hasher, text)) !== undefined
}

async function acceptOperations({ control, operations, reviewed, foreign, log }: DeclaredProject): Promise<void> {
  const { accepted } = control.state
  const isFirst = Object.keys(accepted).length === 0
  const byOthers = new Set(operations.flatMap(({ id, tool }) => (foreign?.has(tool) === true ? [id] : [])))
  const waits = (id: string): boolean => !isFirst && (reviewed || (byOthers.has(id) && accepted[id] !== undefined))
  const all = [...quarantined(control.state, operations)]
  const [held, open] = [all.filter(waits), all.filter((id) => !waits(id))]
  if (held.length > 0)
    log({
      level: 'warning',
      code: 'operations_quarantined',
      message: `${held.length} operations are not declared as they were accepted and are denied until somebody accepts them: ${held.slice(0, 10).join(', ')}. See what has changed: tidegate tools review`,
    })
  const byId = new Map(operations.map(({ id, schemaVersion }) => [id, schemaVersion]))
  for (let at = 0; at < open.length; at += ACCEPTED_AT_ONCE) {
    const some = open.slice(at, at + ACCEPTED_AT_ONCE)
    const event: OperationsAccepted = {
      type: 'operations.accepted',
      cause: isFirst ? 'first_start' : 'start',
      operations: Object.fromEntries(some.map((id) => [id, byId.get(id) ?? ''])),
      ...{ by: 'system:start', reviewers: [], run: null, effect: null },
      why: isFirst ? 'the first start of this project' : 'no reviewers are named',
    }
    await control.append([event], { raisesEpoch: false })
  }
}

/** Tells which operations are quarantined now; computed again only when somebody has accepted something. */
export function createQuarantine(control: Control, operations: readonly Operation[]): () => ReadonlySet<string> {
  let known = control.state.accepted
  let held = quarantined(control.state, operations)
  return () => {
    if (control.state.accepted !== known) {
      known = control.state.accepted
      held = quarantined(control.state, operations)
    }
    return held
  }
}
