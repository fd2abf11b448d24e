import type { Json } from '../canonical/json.ts'

/**
 * Who writes a field of an output. `system`: a system of record; `user`: the person the run serves, and nobody else; `member`: an
 * authenticated colleague, who may not instruct the run but whose names and links are known ones; `arguments`: the call's own arguments,
 * echoed; `third-party`: anybody else.
 */
export const FIELD_ORIGINS = ['system', 'user', 'member', 'third-party', 'arguments'] as const
export type FieldOrigin = (typeof FIELD_ORIGINS)[number]

/** What a value can say. The closed types (flag, enum, number, amount, date) are too small to carry an instruction. */
export const VALUE_TYPES = [
  'flag',
  'enum',
  'number',
  'amount',
  'date',
  'identifier',
  'recipient',
  'url',
  'path',
  'secret',
  'text',
] as const
export type ValueType = (typeof VALUE_TYPES)[number]

/** What an argument is for: a `sink` selects the target of the call, a `value` is any other typed value, a `text` is free text. */
export const INPUT_ROLES = ['sink', 'value', 'text'] as const
export type InputRole = (typeof INPUT_ROLES)[number]

/** Who learns of a call: nobody but the user, people of the same organisation, or anybody. */
export const EGRESSES = ['none', 'internal', 'external'] as const
export type Egress = (typeof EGRESSES)[number]

/** One argument, as the author of the operation declares it. */
export interface FlowInput {
  readonly role: InputRole
  readonly type: ValueType
  /** What the operation assumes when the argument is left out: saying it says nothing. */
  readonly default?: Json
  /** For an `enum`: the words of a task that mean a value, such as `{ rw: ["edit", "write"] }`. */
  readonly words?: Readonly<Record<string, readonly string[]>>
}

/** One field of an output, as the author of the operation declares it. */
export interface FlowOutput {
  readonly origin: FieldOrigin
  readonly type: ValueType
  /** Who may read it: `public`, `internal`, `user`, an address, or `@domain`. Absent: nobody but the user. */
  readonly readers?: readonly string[]
  /** The field only ever holds members of a set that no third party adds to: a directory, a catalogue. */
  readonly closed?: boolean
  /** People call a member of the set by a part of its name: a person by the first name, a channel by its first word. */
  readonly spoken?: 'part'
  /** The text is a list of members, one per line; what stands before a colon on a line is a heading. */
  readonly list?: 'lines'
  /** The keys of the object at this pointer, when they are data: the pointer ends in `*`. */
  readonly keys?: Omit<FlowOutput, 'keys' | 'list' | 'today'>
  /** The field is the current date. */
  readonly today?: boolean
}

/** How data flows through one operation. Pointers are JSON pointers (RFC 6901) in which `*` stands for one segment. */
export interface FlowDeclaration {
  readonly inputs: Readonly<Record<string, FlowInput>>
  readonly outputs: Readonly<Record<string, FlowOutput>>
  readonly egress: Egress
  /** The arguments through which others learn of the call. When all of them are empty, nobody does. */
  readonly egressVia?: readonly string[]
}

/** The words of each fact, strictest last for `sinks` read backwards: what a policy may compare with. See docs/spec/labels.md. */
export const FLOW_WORDS = {
  egress: EGRESSES,
  sinks: ['none', 'unknown', 'listed', 'recorded', 'named'],
  values: ['none', 'free', 'grounded'],
  amounts: ['none', 'free', 'grounded'],
  text: ['none', 'carrying', 'relayed', 'prose', 'task'],
  grant: ['none', 'within', 'exceeded', 'outside'],
} as const

/**
 * What is known about where the arguments of one action come from. Facts for policies, never a verdict. docs/spec/labels.md defines
 * each of them.
 */
export interface FlowFacts {
  /** Third-party text is in the planner's context. Never false again in this run. */
  readonly tainted: boolean
  /** The operations whose answers brought it there, sorted. */
  readonly sources: readonly string[]
  readonly egress: Egress
  /** The weakest sink: `none` when the call selects no target. */
  readonly sinks: (typeof FLOW_WORDS.sinks)[number]
  readonly values: (typeof FLOW_WORDS.values)[number]
  readonly amounts: (typeof FLOW_WORDS.amounts)[number]
  readonly text: (typeof FLOW_WORDS.text)[number]
  readonly grant: (typeof FLOW_WORDS.grant)[number]
  /** Everyone who learns of the call may read everything that the context has seen. */
  readonly readable: boolean
  /** JSON pointers of the leaves that are not grounded, sorted. */
  readonly ungrounded: readonly string[]
  /** Somebody who knows the operation has declared how data flows through it. */
  readonly declared: boolean
}

/** The types that are too small to carry an instruction: they enter a context without tainting it. */
export function isClosedType(type: ValueType): boolean {
  return type === 'flag' || type === 'enum' || type === 'number' || type === 'amount' || type === 'date'
}

/** What is known of an action whose context has seen nothing and which names nothing. Has every member of {@link FlowFacts}. */
export const NO_FLOW: FlowFacts = {
  tainted: false,
  sources: [],
  egress: 'none',
  sinks: 'none',
  values: 'none',
  amounts: 'none',
  text: 'none',
  grant: 'none',
  readable: true,
  ungrounded: [],
  declared: false,
}
