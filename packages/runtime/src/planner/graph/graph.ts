import type { Json, OperationId } from '@tidegate/kernel'

/**
 * A workflow as a graph of steps: which one comes next is written down and not left to a model. Checked when it is loaded: every
 * edge leads to a node, every node can be reached, and from every node the end can be reached.
 */
export interface Graph {
  readonly start: string
  readonly nodes: ReadonlyMap<string, GraphNode>
}

export type GraphNode = ClassifyNode | ExtractNode | OperationNode | BranchNode | FinishNode | GiveUpNode

/**
 * Says which of a closed set of classes the texts belong to, and goes on with the node of that class. Noted as
 * `{class, confidence}`.
 */
export interface ClassifyNode {
  readonly kind: 'classify'
  /** References; a list or an object stands for all texts in it. Read in this order. */
  readonly texts: readonly string[]
  /** Class -> next node. There are no other classes. */
  readonly classes: ReadonlyMap<string, string>
  readonly by: ClassRules | AskModel
}

/** Rules in order: the first that matches decides. */
export interface ClassRules {
  readonly kind: 'rules'
  readonly rules: readonly ClassRule[]
  readonly otherwise: Verdict
}

export interface ClassRule extends Verdict {
  readonly when: Matcher
}

export interface Verdict {
  readonly class: string
  /** 0 to 10,000. */
  readonly confidence: number
}

/** Words and phrases, no patterns: `any` of these, `all` of those, `none` of these. An empty list asks for nothing. */
export interface Matcher {
  readonly any: readonly string[]
  readonly all: readonly string[]
  readonly none: readonly string[]
}

/** Lets a model answer. Its own opinion of how sure it is does not count: `confidence` (0 to 10,000) does. */
export interface AskModel {
  readonly kind: 'model'
  readonly instructions: string
  readonly confidence: number
}

/** Takes values out of texts. Noted as one object with a member for each field that was found. */
export interface ExtractNode {
  readonly kind: 'extract'
  readonly texts: readonly string[]
  readonly by: ExtractRules | ExtractByModel
  readonly next: string
}

export interface ExtractRules {
  readonly kind: 'rules'
  readonly fields: ReadonlyMap<string, FieldRule>
}

export interface ExtractByModel extends AskModel {
  readonly fields: ReadonlyMap<string, ModelField>
}

/** Which one, when the texts hold several: in the order of the texts, and within a text from its beginning. */
export type Pick = 'first' | 'last'

export type FieldRule =
  /** `{minor, currency}`: an amount in one of these currencies (ISO 4217), in minor units. */
  | { readonly kind: 'money'; readonly currencies: readonly string[]; readonly pick: Pick }
  /** A word that begins with this prefix, such as `inv-`. */
  | { readonly kind: 'identifier'; readonly prefix: string; readonly pick: Pick }
  | { readonly kind: 'email'; readonly pick: Pick }
  /** What stands on one line between one of these phrases and one of those. */
  | { readonly kind: 'between'; readonly after: readonly string[]; readonly before: readonly string[]; readonly pick: Pick }

/** One member of what a model may answer; with `values`, one of these and nothing else. */
export interface ModelField {
  readonly type: 'string' | 'integer' | 'boolean'
  readonly description: string
  readonly values: readonly string[]
}

/** Proposes an operation. It is decided, and perhaps executed, outside; the graph goes on from what came of it. */
export interface OperationNode {
  readonly kind: 'operation'
  readonly operation: OperationId
  /** Templates, see resolveTemplate. */
  readonly arguments: Json
  readonly goal: string
  readonly justification: string
  /** 0 to 10,000: the proposal is at most as sure as this, and as the run. */
  readonly confidence: number
  readonly next: string
  /** Where to go on when the far side said no, or did not answer. Without it the run fails and what it did is taken back. */
  readonly onFailed: string | null
  /** Where to go on when the arguments do not fit the operation. A denial by policy always ends the run. */
  readonly onInvalid: string | null
}

/** Goes where the first condition that holds points, and otherwise to `otherwise`. Noted as `{next}`. */
export interface BranchNode {
  readonly kind: 'branch'
  readonly conditions: readonly Condition[]
  readonly otherwise: string
}

export interface Condition {
  /** The reference that is looked at. */
  readonly value: string
  readonly test: Test
  readonly next: string
}

/** What a value is held against. A value that is not there, or of another type, passes nothing but `exists: false`. */
export type Test =
  /** The expected value, or a reference to it. */
  | { readonly kind: 'equals'; readonly expected: Json }
  | { readonly kind: 'in'; readonly expected: readonly Json[] }
  | { readonly kind: 'lessThan' | 'atMost' | 'greaterThan' | 'atLeast'; readonly expected: number }
  | { readonly kind: 'exists'; readonly expected: boolean }

/** The work is done, or (`escalate`) a person takes over. */
export interface FinishNode {
  readonly kind: 'finish'
  /** A template. */
  readonly reason: string
  readonly escalate: boolean
}

/** The work cannot be done: the run fails and takes back what it did. */
export interface GiveUpNode {
  readonly kind: 'give_up'
  readonly reason: string
}

/** True when some step of the graph cannot be taken without a model. */
export function needsModel(graph: Graph): boolean {
  return [...graph.nodes.values()].some(
    (node) => (node.kind === 'classify' || node.kind === 'extract') && node.by.kind === 'model',
  )
}
