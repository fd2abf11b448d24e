import type { WireRunAction } from '@tidegate/protocol'
import { expect, test } from 'vitest'
import { countAfterStop } from '../src/demo/count-after-stop.ts'

const stop = { id: 's', scope: 'global', mode: 'hold', by: 'user:a', why: 'x', atMs: 1_000 } as const
const report = { stop, running: [{ run: 'r1', operation: 'desk.reply.send', sinceMs: 5 }] }

/** An action as far as its start matters. */
function action(startedAtMs: number): WireRunAction {
  const texts = {
    operation: 'desk.reply.send',
    state: 'done',
    goal: '',
    justification: '',
    message: '',
    failure: null,
    found: null,
  }
  const lists = { origins: [], policies: [], approvers: [], findings: [] }
  return {
    n: 0,
    purpose: 'act',
    effect: true,
    arguments: {},
    output: null,
    digest: null,
    outcome: 'allow',
    approval: null,
    attempts: 1,
    compensates: null,
    startedAtMs,
    ...texts,
    ...lists,
  }
}

const cases = [
  ['nothing started after it', [0, 990, 1_000], [['r2.1', 1_009]], { records: 0, desk: 0 }],
  ['an action started after it', [990, 1_001], [], { records: 1, desk: 0 }],
  ['a call that came after the answer, of a run that had nothing under way', [], [['r2.1', 1_011]], { records: 0, desk: 1 }],
  ['a call that came after the answer, of a run that had', [], [['r1.1', 1_011]], { records: 0, desk: 0 }],
  ['a call that nobody can place', [], [['', 1_011]], { records: 0, desk: 1 }],
] as const

test.each(cases)('%s', (_, starts, calls, expected) => {
  const seen = { details: [{ actions: starts.map(action) }], calls: calls.map(([reference, atMs]) => ({ reference, atMs })) }
  expect(countAfterStop(seen, { report, acknowledgedAtMs: 1_010 })).toEqual(expected)
})
