import { type ActionState, factsOf, isObject, type Note, type RunFacts, type RunState } from '@tidegate/kernel'
import type { ClassifyNode, Graph, GraphNode, OperationNode } from './graph.ts'

/** Where a run stands in its graph. */
export type Position =
  | { readonly kind: 'at'; readonly node: GraphNode; readonly name: string; readonly note: string; readonly facts: RunFacts }
  /** The way ended in a question that only a person can answer. */
  | { readonly kind: 'unsure'; readonly reason: string }
  /** The way ended, and nothing says how to go on. */
  | { readonly kind: 'stuck'; readonly reason: string }

/**
 * Finds where a run stands by walking its graph from the start, along what is recorded. Pure, so that it is the same after a crash.
 *
 * A node that was visited before has its later notes under `<node>#2` and so on, and the walk sees the notes of the latest visit.
 * Every step of the walk uses up a record of the run, so that it ends even where the graph has a loop.
 */
export function findPosition(graph: Graph, state: RunState): Position {
  const visits = new Map<string, number>()
  const notes = new Map<string, Note>()
  const facts: RunFacts = { ...factsOf(state), notes }
  let name = graph.start
  for (;;) {
    const node = graph.nodes.get(name)
    if (node === undefined) return { kind: 'stuck', reason: `the graph has no node "${name}"` }
    const visit = (visits.get(name) ?? 0) + 1
    visits.set(name, visit)
    const note = visit === 1 ? name : `${name}#${visit}`
    const next = edgeTaken(node, { name, note, visit, state, notes })
    if (next === undefined) return { kind: 'at', node, name, note, facts }
    if (typeof next !== 'string') return next
    name = next
  }
}

interface Visit {
  readonly name: string
  readonly note: string
  readonly visit: number
  readonly state: RunState
  readonly notes: Map<string, Note>
}

/** The node that the run went on to; undefined where it stands now. */
function edgeTaken(node: GraphNode, { name, note, visit, state, notes }: Visit): string | Position | undefined {
  if (node.kind === 'finish' || node.kind === 'give_up') return undefined
  if (node.kind === 'operation') {
    const action = state.actions.filter(({ proposed }) => proposed.purpose === 'act' && proposed.node === name)[visit - 1]
    return action === undefined ? undefined : edgeOfAction(node, action)
  }
  const taken = state.notes.get(note)
  if (taken === undefined) return undefined
  notes.set(name, { ...taken, node: name })
  if (node.kind === 'extract') return taken.value === null ? unsure(name) : node.next
  if (node.kind === 'classify') return edgeOfClass(node, name, taken)
  const way = isObject(taken.value) ? taken.value.next : undefined
  return typeof way === 'string' ? way : { kind: 'stuck', reason: `the branch "${name}" was noted without its way` }
}

function edgeOfClass(node: ClassifyNode, name: string, taken: Note): string | Position {
  const verdict = isObject(taken.value) ? taken.value.class : undefined
  return (typeof verdict === 'string' ? node.classes.get(verdict) : undefined) ?? unsure(name)
}

function unsure(name: string): Position {
  return { kind: 'unsure', reason: `"${name}" found no answer that the workflow knows` }
}

function edgeOfAction(node: OperationNode, action: ActionState): string | Position {
  if (action.state === 'done' || action.state === 'undone' || action.state === 'rehearsed') return node.next
  const failed = action.state === 'failed'
  const invalid = action.state === 'denied' && action.decision?.failure === 'planning'
  const edge = failed ? node.onFailed : invalid ? node.onInvalid : null
  if (edge !== null) return edge
  const why = failed ? action.outcome?.sealed.message : action.decision?.policies.map(({ reason }) => reason).join('; ')
  return { kind: 'stuck', reason: `${node.operation} is ${action.state}${why === undefined || why === '' ? '' : `: ${why}`}` }
}
