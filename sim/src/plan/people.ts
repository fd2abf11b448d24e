import type { Person } from '@tidegate/runtime'

/** Everybody in the simulation. Ann asks for things; Ops runs the place; Eve is entitled to nothing. */
export const PEOPLE = {
  ann: { id: 'user:ann', roles: ['billing-lead', 'security'] },
  mei: { id: 'user:mei', roles: ['billing-lead'] },
  bob: { id: 'user:bob', roles: ['billing-lead', 'security'] },
  zoe: { id: 'user:zoe', roles: ['security'] },
  eve: { id: 'user:eve', roles: ['visitor'] },
  ops: { id: 'user:ops', roles: ['operator'] },
} as const satisfies Readonly<Record<string, Person>>

/** Whose roles are whose, for checkers that believe no record. */
export const ROLES: ReadonlyMap<string, readonly string[]> = new Map(Object.values(PEOPLE).map(({ id, roles }) => [id, roles]))
