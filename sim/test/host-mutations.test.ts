import { afterEach, expect, test, vi } from 'vitest'
import { simulate } from '../src/index.ts'
import { drawHosts } from '../src/plan/hosts.ts'
import { active } from './active-mutation.ts'

const mutants = vi.hoisted(() => () => import('./mutant-hosts.ts'))
vi.mock('../../packages/runtime/src/harness/decide.ts', async (original) => (await mutants()).mutateDecide(await original()))
vi.mock('../../packages/runtime/src/harness/execute.ts', async (original) => (await mutants()).mutateExecute(await original()))
vi.mock('../../packages/runtime/src/host/answer.ts', async (original) => (await mutants()).mutateAnswer(await original()))
vi.mock('../../packages/runtime/src/host/open-call.ts', async (original) => (await mutants()).mutateOpenCall(await original()))
vi.mock('../../packages/runtime/src/host/sessions.ts', async (original) => (await mutants()).mutateSessions(await original()))
vi.mock('../../packages/runtime/src/host/tickets.ts', async (original) => (await mutants()).mutateTickets(await original()))

/** So many seeds with hosts must be enough to notice any bug in the table. */
const SEEDS = Array.from({ length: 900 }, (_, n) => n + 1).filter((seed) => drawHosts(seed).length > 0)

afterEach(() => {
  active.name = ''
})

test.each([
  ['starts without a claim', 'D2'],
  ['whoever left is not noticed at the last moment', 'D2'],
  ['a call is not recognised', 'D3'],
  ['each try is a call of its own', 'D3'],
  ['nobody takes up an answer', 'D3'],
  ['nobody keeps an answer', 'D3'],
  ['a refusal bears the name of the call', 'tickets'],
  ['a ticket serves again', 'tickets'],
  ['a ticket is good for anything', 'tickets'],
  ['a ticket outlives the process', 'tickets'],
  ['what is governed is only observed', 'observe'],
  ['an answer tells the conversation nothing', 'labels'],
  ['a conversation is new after a restart', 'labels'],
  ['what is permitted is seen by nobody', 'labels'],
  ['what was heard is not recorded', 'labels'],
  ['the answer of somebody else', 'answers'],
])('%s: the simulator sees %s break', async (name, invariant) => {
  active.name = name
  for (const seed of SEEDS) {
    const { violations } = await simulate({ seed })
    if (violations.some((violation) => violation.invariant === invariant)) return
  }
  expect.fail(`no seed noticed that ${name}`)
})

test('without a bug the same mocks are clean', async () => {
  const violations = []
  for (const seed of SEEDS.slice(0, 20)) violations.push(...(await simulate({ seed })).violations)
  expect(violations).toEqual([])
})
