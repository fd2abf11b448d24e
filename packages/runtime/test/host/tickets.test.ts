import { nodeEntropy, nodeHasher } from '@tidegate/crypto-node'
import { actionDigest } from '@tidegate/kernel'
import { createVirtualClock } from '@tidegate/testkit'
import { expect, test } from 'vitest'
import { createTickets } from '../../src/host/tickets.ts'
import { SET } from '../bench-desk.ts'

test.each([
  [60_000, true],
  [60_001, false],
])('a ticket that is %i ms old is good: %s', (ageMs, isGood) => {
  const clock = createVirtualClock()
  const tickets = createTickets({ clock, entropy: nodeEntropy, hasher: nodeHasher, find: () => SET })
  const call = { host: 'claw', operation: SET.id, arguments: { id: 'r1' } }
  const digest = actionDigest(nodeHasher, SET, call.arguments)
  const ticket = tickets.issue({ run: 'r', host: 'claw', session: 's', call: 'c', digest })
  clock.advanceTo(clock.nowMs() + ageMs)
  expect('run' in tickets.redeem(ticket, call)).toBe(isGood)
})
