import type { LoadedPolicy } from '@tidegate/cedar'
import type { ApproverRule } from '@tidegate/kernel'
import { about, type LintFinding } from './finding.ts'

/** Somebody who may decide, as the configuration names them. */
export interface Person {
  readonly id: string
  readonly roles: readonly string[]
}

/**
 * Asks that the people of the project cannot answer, even together: a role that nobody has, or too few people for all that is asked.
 * Such an ask is a denial that takes a day.
 */
export function findUnanswerable(policies: readonly LoadedPolicy[], people: readonly Person[]): readonly LintFinding[] {
  return policies.flatMap((policy) => {
    const message = policy.outcome === 'ask' ? refuse(policy.approvers, people) : undefined
    return message === undefined ? [] : [about(policy, 'error', 'unanswerable-ask', message)]
  })
}

function refuse(rules: readonly ApproverRule[], people: readonly Person[]): string | undefined {
  for (const { role, count } of rules) {
    const having = people.filter(({ roles }) => roles.includes(role)).length
    if (having === 0) return `nobody of tidegate.yaml has the role ${role}: every action that asks here is refused in the end`
    if (having < count)
      return `${count} people with the role ${role} are asked, and only ${having} of tidegate.yaml ${having === 1 ? 'has' : 'have'} it`
  }
  const seats = rules.flatMap(({ role, count }) => Array.from({ length: count }, () => role))
  return canSeat(seats, people)
    ? undefined
    : `${seats.length} different people are asked, and too few of tidegate.yaml have the roles between them`
}

/** Whether each seat can be given to a different person who has its role: a matching, grown seat by seat. */
function canSeat(seats: readonly string[], people: readonly Person[]): boolean {
  const seatOf = new Map<string, number>()
  const find = (seat: number, tried: Set<string>): boolean =>
    people.some(({ id, roles }) => {
      if (!roles.includes(seats[seat] ?? '') || tried.has(id)) return false
      tried.add(id)
      const taken = seatOf.get(id)
      if (taken !== undefined && !find(taken, tried)) return false
      seatOf.set(id, seat)
      return true
    })
  return seats.every((_, seat) => find(seat, new Set()))
}
