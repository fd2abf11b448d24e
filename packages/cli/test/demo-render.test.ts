import { describe, expect, test } from 'vitest'
import { renderReport, shortOf } from '../src/demo/render.ts'
import type { DemoReport, DemoRun } from '../src/demo/report.ts'
import { createStyle } from '../src/terminal/style.ts'
import { widthOf } from '../src/terminal/width.ts'

const ABOUT = new Map([
  ['t-1', 'An ordinary question. It is answered without help.'],
  ['t-2', 'A refund that a billing lead has to agree to, since it is large: EUR 480, and more to say about it.'],
  ['t-3', 'An attack.'],
  ['t-4', 'In Chinese: asks for something that nobody is sure about.'],
])

function run(id: string, ticket: string, state: string, more: Partial<DemoRun> = {}): DemoRun {
  const headline = state === 'escalated' ? 'Handed to a person. Nothing was changed.' : ''
  return { id, workflow: 'w', state, failure: null, effects: [], approvals: [], ticket, headline, reason: '', ...more }
}

const REPORT: DemoReport = {
  runs: [
    run('R1', 't-1', 'completed', {
      effects: [{ action: 1, operation: 'desk.reply.send', purpose: 'act', state: 'done', approval: null }],
    }),
    run('R2', 't-2', 'waiting', { approvals: [{ id: 'R2.a4.0', state: 'open' }] }),
    run('R3', 't-3', 'failed', { failure: 'policy_denial', reason: 'an attachment asks for money' }),
    run('R4', 't-4', 'escalated'),
    run('R5', 't-1', 'completed'),
  ],
  blocked: [{ run: 'R3', operation: 'desk.refund.create', outcome: 'deny', policies: ['p'] }],
  undone: [{ run: 'R1', by: 'R6', state: 'completed', effects: 1 }],
  stop: {
    acknowledgedMs: 4.2,
    roundTripMs: 6,
    runsInFlight: 5,
    running: 1,
    effectsAfter: 0,
    measured: { records: 0, desk: 0, watchedMs: 500 },
    resumed: 5,
  },
  ledger: { size: 189, root: 'A'.repeat(44), checkpoint: '', verified: true },
  duplicates: [{ event: 'evt-1', run: 'R1' }],
}

describe('the story of the demonstration', () => {
  const at = (columns: number): readonly string[] =>
    renderReport({ style: createStyle({ colour: false }), columns }, REPORT, ABOUT).split('\n')

  test('fits 80 columns, and says each ticket once, what waits last', () => {
    const lines = at(80)
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(80)
    expect(lines).toEqual([
      'Done without help, and seen to be done',
      '  t-1  An ordinary question.',
      '          desk.reply.send; taken back afterwards',
      '',
      'Blocked',
      '  t-3  An attack.',
      '          desk.refund.create refused: an attachment asks for money',
      '',
      'Taken back, or handed to a person',
      '  t-4  In Chinese: asks for something that nobody is sure about.',
      '          Handed to a person. Nothing was changed.',
      '',
      'Delivered twice  evt-1: recognised, one run',
      'Undone           1 effect of a finished run: completed',
      'Stopped          everything, in 4.2 ms, with 5 runs under way and 1 call made; 0',
      '                 started in the 500 ms after it; lifted, and 5 went on',
      'Ledger           189 entries, verified',
      `Root             ${'A'.repeat(44)}`,
      '',
      'Waits for a person',
      '  t-2  A refund that a billing lead has to agree to, since it is large',
      '          approval R2.a4.0',
    ])
  })

  test('a promise that was not kept is not hidden', () => {
    const broken = { ...REPORT, stop: { ...REPORT.stop, effectsAfter: 2 }, ledger: { ...REPORT.ledger, verified: false } }
    const text = renderReport({ style: createStyle({ colour: false }), columns: 1_000 }, broken, ABOUT)
    expect(text).toContain('2 started')
    expect(text).toContain('NOT what it says')
  })
})

test.each([
  ['01M7WBNDH5Z9EMVMSMHJW2M3FP', [], 'MSMHJW2M3FP'.padStart(12, 'V')],
  ['ab-1234567890ab', ['ab-1234567890ab', 'zz-1234567890ab'], 'b-1234567890ab'],
  ['short', ['short'], 'short'],
])('%s is shortened', (id, others, expected) => {
  expect(shortOf(id, others)).toBe(expected)
})
