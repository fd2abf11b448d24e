import { type Planner, type PlannerAnswer, type PlannerView, resolveTemplate, type Scope } from '@tidegate/kernel'
import type { ModelUse } from '../model-use.ts'
import { classifyByModel, extractByModel } from './ask-model.ts'
import { takeBranch } from './branch.ts'
import { classifyByRules } from './classify.ts'
import { extractByRules } from './extract.ts'
import { type ClassifyNode, type ExtractNode, type Graph, needsModel, type OperationNode } from './graph.ts'
import { findPosition, type Position } from './position.ts'
import { collectTexts } from './texts.ts'

/** What a graph planner needs. A graph whose steps all go by rules needs no model (see needsModel). */
export interface GraphPlannerOptions {
  readonly graph: Graph
  readonly model?: ModelUse
}

/**
 * Creates a planner that follows a graph.
 *
 * 1. Where it stands is derived from what the run has recorded, and from nothing else. 2. Each step of it is one record: a note, or
 * a proposal that carries its node. 3. It decides nothing: a denial, a stop and a failed check end the run over its head. 4. Where
 * the graph does not say how to go on, it gives up, and the run takes back what it did. 5. A template with a reference that leads
 * nowhere is never filled with a guess.
 */
export function createGraphPlanner({ graph, model }: GraphPlannerOptions): Planner {
  const immediate = !needsModel(graph)
  return { immediate, next: async (view) => answerAt(findPosition(graph, view.state), view, model) }
}

async function answerAt(position: Position, view: PlannerView, model: ModelUse | undefined): Promise<PlannerAnswer> {
  if (position.kind === 'stuck') return { kind: 'give_up', reason: position.reason }
  if (position.kind === 'unsure') return { kind: 'finish', reason: position.reason, escalate: true }
  const { node, note, facts, name } = position
  const scope: Scope = { facts, workflow: view.workflow, operation: view.find }
  switch (node.kind) {
    case 'classify':
      return classify(node, { scope, note, view, model })
    case 'extract':
      return extract(node, { scope, note, view, model })
    case 'branch': {
      const { next, origins } = takeBranch(node, scope)
      return { kind: 'note', node: note, value: { next }, origins }
    }
    case 'operation':
      return propose(node, name, scope, view)
    case 'finish':
      return { kind: 'finish', reason: fillLine(node.reason, scope) ?? node.reason, escalate: node.escalate }
    case 'give_up':
      return { kind: 'give_up', reason: node.reason }
  }
}

interface Reading {
  readonly scope: Scope
  readonly note: string
  readonly view: PlannerView
  readonly model: ModelUse | undefined
}

async function classify(node: ClassifyNode, { scope, note, view, model }: Reading): Promise<PlannerAnswer> {
  const sources = collectTexts(node.texts, scope)
  if (node.by.kind === 'model')
    return model === undefined
      ? withoutModel(note)
      : classifyByModel(node, node.by, { use: model, state: view.state, note, sources })
  const { origins, ...verdict } = classifyByRules(node.by, sources)
  return { kind: 'note', node: note, value: verdict, origins, confidence: verdict.confidence, of: 'classification' }
}

async function extract(node: ExtractNode, { scope, note, view, model }: Reading): Promise<PlannerAnswer> {
  const sources = collectTexts(node.texts, scope)
  if (node.by.kind === 'model')
    return model === undefined ? withoutModel(note) : extractByModel(node.by, { use: model, state: view.state, note, sources })
  return { kind: 'note', node: note, ...extractByRules(node.by, sources), of: 'extraction' }
}

function withoutModel(note: string): PlannerAnswer {
  return { kind: 'give_up', reason: `the step "${note}" needs a model, and none is configured` }
}

function propose(node: OperationNode, name: string, scope: Scope, { state }: PlannerView): PlannerAnswer {
  const filled = resolveTemplate(node.arguments, scope)
  if (!filled.ok) return { kind: 'give_up', reason: `"${name}" needs ${filled.missing}, which this run does not know` }
  const goal = fillLine(node.goal, scope)
  const justification = fillLine(node.justification, scope)
  if (goal === undefined || justification === undefined) {
    return {
      kind: 'give_up',
      reason: `the goal or the justification of "${name}" refers to something that this run does not know`,
    }
  }
  const proposal = {
    goal,
    operation: node.operation,
    arguments: filled.value,
    justification,
    confidence: Math.min(node.confidence, state.confidence),
    origins: filled.origins,
    node: name,
  }
  return { kind: 'propose', proposal }
}

function fillLine(template: string, scope: Scope): string | undefined {
  const filled = resolveTemplate(template, scope)
  if (!filled.ok) return undefined
  return typeof filled.value === 'string' ? filled.value : JSON.stringify(filled.value)
}
