import { expect, test } from 'vitest'
import { policyOf } from '../bench-desk.ts'
import { callOf, startHost } from './host-bench.ts'

const WORD = `tidegate-canary-${'0123456789abcdef'.repeat(2)}`
const OTHER = `tidegate-canary-${'fedcba9876543210'.repeat(2)}`
const query = { host: 'claw', nonce: WORD, sinceMs: 0 }

test('finds the calls in whose arguments a canary stands, and no others', async () => {
  const { desk } = await startHost()
  await desk.perform(callOf({ arguments: { id: `a ${WORD} b` } }), { waitMs: 5_000 })
  await desk.perform(callOf({ arguments: { id: OTHER } }), { waitMs: 5_000 })
  await desk.perform(callOf({ goal: WORD }), { waitMs: 5_000 })
  const found = await desk.canaries(query)
  expect(found).toMatchObject([{ operation: 'desk.set', outcome: 'allow', started: true, observes: false }])
  expect(await desk.canaries({ ...query, host: 'other' })).toEqual([])
  expect(await desk.canaries({ ...query, sinceMs: Date.now() + 60_000 })).toEqual([])
})

test('a call that was denied is found, and was not started', async () => {
  const { desk } = await startHost({ policy: policyOf(() => ({ kind: 'unmatched' })) })
  await desk.perform(callOf({ arguments: { id: WORD } }), { waitMs: 5_000 })
  expect(await desk.canaries(query)).toMatchObject([{ outcome: 'deny', started: false }])
})

test('a call without the ticket that it needs is found', async () => {
  const { desk } = await startHost({ host: { tickets: true } })
  const answer = await desk.perform(callOf({ arguments: { id: WORD } }), { waitMs: 5_000 })
  expect(answer.kind).toBe('denied')
  expect(await desk.canaries(query)).toMatchObject([{ started: false }])
})

test('an erased call is not evidence, and only the word of a canary is looked for', async () => {
  const { desk, journal } = await startHost()
  const answer = await desk.perform(callOf({ arguments: { id: WORD } }), { waitMs: 5_000 })
  expect(await desk.canaries({ ...query, nonce: 'id' })).toEqual([])
  if ('run' in answer) await journal.erase(`run/${answer.run}`)
  expect(await desk.canaries(query)).toEqual([])
})
