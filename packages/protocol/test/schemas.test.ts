import { describe, expect, test } from 'vitest'
import {
  exportRequestSchema,
  liftRequestSchema,
  problemSchema,
  receiptQuerySchema,
  runQuerySchema,
  stopRequestSchema,
  triggerRequestSchema,
  voteRequestSchema,
  WIRE_LIMITS,
  wireId,
} from '../src/index.ts'

const TRIGGER = { workflow: 'support-billing', source: 'desk', event: 'e-1', input: { ticketId: 't-1' } }
const VOTE = { vote: 'approve', why: 'checked', digest: 'a'.repeat(64) }

describe('what a request may say', () => {
  const cases: readonly (readonly [string, { safeParse(value: unknown): { success: boolean } }, unknown, boolean])[] = [
    ['a trigger', triggerRequestSchema, TRIGGER, true],
    ['one on behalf of somebody', triggerRequestSchema, { ...TRIGGER, user: 'user:cleo' }, true],
    ['one with an unknown key', triggerRequestSchema, { ...TRIGGER, role: 'operator' }, false],
    ['one whose input is a list', triggerRequestSchema, { ...TRIGGER, input: [] }, false],
    ['one whose input is null', triggerRequestSchema, { ...TRIGGER, input: null }, false],
    ['one whose event has a line feed', triggerRequestSchema, { ...TRIGGER, event: 'a\nb' }, false],
    ['one whose event is empty', triggerRequestSchema, { ...TRIGGER, event: '' }, false],
    ['one whose event is too long', triggerRequestSchema, { ...TRIGGER, event: 'x'.repeat(WIRE_LIMITS.id + 1) }, false],
    ['a vote', voteRequestSchema, VOTE, true],
    ['a vote of another kind', voteRequestSchema, { ...VOTE, vote: 'abstain' }, false],
    ['a vote with blanks for a reason', voteRequestSchema, { ...VOTE, why: ' \n ' }, false],
    ['a vote with an endless reason', voteRequestSchema, { ...VOTE, why: 'x'.repeat(WIRE_LIMITS.why + 1) }, false],
    ['a vote with a digest in capitals', voteRequestSchema, { ...VOTE, digest: 'A'.repeat(64) }, false],
    ['a stop', stopRequestSchema, { scope: 'agent:spiffe://example.org/ns/a/agent/b', why: 'x' }, true],
    ['a stop over nothing', stopRequestSchema, { scope: 'tool:', why: 'x' }, false],
    ['a stop over two things', stopRequestSchema, { scope: 'tool:a,tool:b', why: 'x' }, false],
    ['a lift of one stop', liftRequestSchema, { stop: 's-1', why: 'x' }, true],
    ['a lift of nothing', liftRequestSchema, { why: 'x' }, false],
    ['a lift of two things', liftRequestSchema, { stop: 's-1', scope: 'global', why: 'x' }, false],
    ['an export', exportRequestSchema, { directory: '/tmp/export' }, true],
    ['an export to somewhere below', exportRequestSchema, { directory: 'export' }, false],
    ['an export with a line feed', exportRequestSchema, { directory: '/tmp/a\nb' }, false],
    ['a receipt of an entry', receiptQuerySchema, { index: '3' }, true],
    ['a receipt of half an entry', receiptQuerySchema, { index: '3.5' }, false],
    ['a receipt of nothing', receiptQuerySchema, {}, false],
  ]
  test.each(cases)('%s', (_, schema, value, accepted) => {
    expect(schema.safeParse(value).success).toBe(accepted)
  })

  test('what is left out has a default that widens nothing', () => {
    expect(stopRequestSchema.parse({ scope: 'global', why: ' drill ' })).toEqual({ scope: 'global', why: 'drill', mode: 'hold' })
    expect(exportRequestSchema.parse({ directory: '/x' }).payloads).toBe(false)
    expect(runQuerySchema.parse({ state: 'waiting,failed' })).toEqual({ state: ['waiting', 'failed'], limit: 50 })
  })
})

test('an id is visible ASCII without blanks', () => {
  expect(['run-1', 'user:mei', 'a/b'].every((id) => wireId.safeParse(id).success)).toBe(true)
  expect(['', ' ', 'a b', 'é', 'a\u0000', '\u202e'].some((id) => wireId.safeParse(id).success)).toBe(false)
})

test('a problem keeps its code, and drops what a later version may add', () => {
  const problem = { type: 'urn:x', title: 't', status: 404, detail: 'd', code: 'not_found' }
  expect(problemSchema.parse({ ...problem, later: true })).toEqual(problem)
  expect(problemSchema.safeParse({ ...problem, status: 200 }).success).toBe(false)
})
