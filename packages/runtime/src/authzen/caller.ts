import type { EntityReference } from '@tidegate/kernel'
import type { Person } from '../api.ts'

/** May ask on behalf of others: what enforces decisions for people and agents has it. */
export const DISPATCHER = 'dispatcher'
const OPERATOR = 'operator'

/**
 * The person behind a subject, as the project names people, or undefined. `{type: "user", id: "mei"}` is `user:mei`; an agent acts
 * for whoever its property `user` names.
 */
export function personBehind({ type, id, properties }: EntityReference): string | undefined {
  const named = type === 'user' ? id : type === 'agent' ? properties?.user : undefined
  if (typeof named !== 'string' || named === '') return undefined
  return named.startsWith('user:') ? named : `user:${named}`
}

/** Whether somebody may ask for access in the name of a subject: their own, or anybody's as a dispatcher. */
export function mayAskFor(caller: Person, subject: EntityReference): boolean {
  return personBehind(subject) === caller.id || caller.roles.includes(DISPATCHER)
}

/** Whether somebody may look at what became of a request, and use its approval: who asked, whom it is for, and who dispatches. */
export function mayFollow(caller: Person, of: { readonly submitter: string; readonly subject: EntityReference }): boolean {
  return caller.id === of.submitter || mayAskFor(caller, of.subject)
}

/** Whether somebody may withdraw a request: who asked, whom it is for, and an operator. To dispatch is not enough. */
export function mayWithdraw(caller: Person, of: { readonly submitter: string; readonly subject: EntityReference }): boolean {
  return caller.id === of.submitter || personBehind(of.subject) === caller.id || caller.roles.includes(OPERATOR)
}
