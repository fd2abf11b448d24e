import type { FlowInput, FlowOutput, ValueType } from '@tidegate/tools'

/** What the desk holds may be read by its staff. A customer reads their own part of it, which no list of readers can say. */
const STAFF: readonly string[] = ['internal']

/** A field that the desk itself keeps: ids, states, sums. */
export function kept(type: ValueType): FlowOutput {
  return { origin: 'system', type, readers: STAFF }
}

/** What the customer wrote, and nobody else could. */
export function byCustomer(type: ValueType): FlowOutput {
  return { origin: 'user', type, readers: STAFF }
}

/** What a stranger may have written. */
export function byAnybody(type: ValueType): FlowOutput {
  return { origin: 'third-party', type, readers: STAFF }
}

/** What the call itself said, told back: it deserves no more trust than the call. */
export function echoed(type: ValueType): FlowOutput {
  return { origin: 'arguments', type, readers: STAFF }
}

/** An argument that selects what is changed, or who is written to. */
export function target(type: 'identifier' | 'recipient'): FlowInput {
  return { role: 'sink', type }
}

/** An argument that is one value and selects nothing. */
export function value(type: ValueType): FlowInput {
  return { role: 'value', type }
}

/** An argument in free words. */
export const WORDS: FlowInput = { role: 'text', type: 'text' }
