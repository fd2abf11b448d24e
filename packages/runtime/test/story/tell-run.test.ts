import { FAILURE_KINDS, type Json, type RunEvent } from '@tidegate/kernel'
import { describe, expect, test } from 'vitest'
import { phraseFailure, type Story, tellRun } from '../../src/story/index.ts'
import { DESK, decided, ended, failed, finished, opened, proposed, question, runOf, started } from './run-events.ts'

const REFUND = { invoiceId: 'inv-5004', amountMinor: 48_000, reason: 'charged twice' }
const HIGH = [{ id: 'production-high-risk', reason: 'high risk in production' }]
const READ: readonly RunEvent[] = [
  proposed(0, 'desk.ticket.read', { ticketId: 't-1003' }),
  decided(0, 'allow'),
  started(0),
  finished(0, { id: 't-1003' }),
]
const ASK: readonly RunEvent[] = [
  ...READ,
  proposed(1, 'desk.refund.create', REFUND),
  decided(1, 'ask', HIGH),
  { type: 'preview.taken', action: 1, digest: 'd'.repeat(64), sealed: { preview: { invoice: { currency: 'EUR' }, after: 0 } } },
  { type: 'approval.opened', question: question('r1', 'apr-1', 1) },
]
const voted = (vote: 'approve' | 'refuse'): RunEvent => ({
  type: 'approval.voted',
  approval: 'apr-1',
  voter: 'user:mei',
  roles: ['billing-lead'],
  vote,
  sealed: { why: 'I checked' },
})
const closed = (state: 'granted' | 'refused' | 'lapsed' | 'voided'): RunEvent => ({
  type: 'approval.closed',
  approval: 'apr-1',
  state,
  why: '',
})
const GRANTED: readonly RunEvent[] = [...ASK, voted('approve'), closed('granted'), decided(1, 'allow'), started(1, 'apr-1')]
const DONE: readonly RunEvent[] = [...GRANTED, finished(1, { refundId: 'rf-1' })]

const PHRASE = 'Refund an invoice: inv-5004, EUR 480.00, reason "charged twice"'

function tell(events: readonly RunEvent[], run = opened('r1')): Story {
  return tellRun(runOf([run, ...events]), DESK)
}

/** The lines as `kind: text`, without the first, which says who asked. */
function lines(events: readonly RunEvent[]): readonly string[] {
  return tell(events)
    .lines.slice(1)
    .map(({ kind, text }) => `${kind}: ${text}`)
}

describe('what a run saw, decided and touched', () => {
  const cases: readonly (readonly [string, readonly RunEvent[], readonly string[]])[] = [
    ['a read that is allowed is only seen', READ, ['saw: Read a ticket: t-1003']],
    [
      'a question says who is asked and why, and is left for them',
      ASK,
      [
        'saw: Read a ticket: t-1003',
        `decided: ${PHRASE} -> asked billing-lead, because high risk in production [production-high-risk]`,
        'decided: Nobody has answered yet',
        'left: A yes or no to that: approval apr-1',
      ],
    ],
    [
      'a granted one says who said yes, and what was touched',
      DONE,
      [
        'saw: Read a ticket: t-1003',
        `decided: ${PHRASE} -> asked billing-lead, because high risk in production [production-high-risk]`,
        'decided: user:mei said yes: "I checked"',
        `touched: ${PHRASE}`,
      ],
    ],
    [
      'a refused one touches nothing',
      [...ASK, voted('refuse'), closed('refused')],
      [
        'saw: Read a ticket: t-1003',
        `decided: ${PHRASE} -> asked billing-lead, because high risk in production [production-high-risk]`,
        'decided: user:mei said no: "I checked"',
      ],
    ],
    [
      'silence means no',
      [...ASK, closed('lapsed')],
      [
        'saw: Read a ticket: t-1003',
        `decided: ${PHRASE} -> asked billing-lead, because high risk in production [production-high-risk]`,
        'decided: Nobody answered in time, which means no',
      ],
    ],
    [
      'a denial names the rule',
      [
        proposed(0, 'desk.refund.create', REFUND),
        decided(0, 'deny', [{ id: 'injected', reason: 'an attachment asks for money' }]),
      ],
      [
        'decided: Refund an invoice: inv-5004, 480.00, reason "charged twice" -> refused, because an attachment asks for money [injected]',
      ],
    ],
    [
      'an operation that nobody declared is told by its id',
      [
        proposed(0, 'desk.everything.delete', {}, { digest: null }),
        decided(0, 'deny', [{ id: 'tidegate:undeclared-operation', reason: '' }]),
      ],
      [
        'decided: An operation that nobody declared (desk.everything.delete) -> refused, because policy tidegate:undeclared-operation says so',
      ],
    ],
    [
      'a dry run changes nothing',
      [
        proposed(0, 'desk.refund.create', REFUND),
        decided(0, 'dry_run', HIGH),
        { type: 'preview.failed', action: 0, sealed: { message: '' } },
      ],
      [
        'decided: Refund an invoice: inv-5004 -> only tried out, because high risk in production [production-high-risk]',
        'tried: Refund an invoice: inv-5004, 480.00, reason "charged twice"; only tried out, nothing was changed',
      ],
    ],
  ]
  test.each(cases)('%s', (_, events, expected) => {
    expect(lines(events)).toEqual(expected)
  })
})

describe('what went wrong', () => {
  const write = [
    proposed(0, 'desk.reply.send', { ticketId: 't-1003', body: 'Dear\ncustomer' }),
    decided(0, 'allow', HIGH),
    started(0),
  ]
  const what = 'Reply to a ticket: t-1003, body "Dear customer"'
  const last = (events: readonly RunEvent[]) => lines([...write, ...events]).at(-1)
  const looked = (found: 'happened' | 'absent' | 'doubled' | 'unknown'): readonly RunEvent[] => [
    { type: 'effect.ambiguous', action: 0, attempt: 1, why: 'crashed' },
    { type: 'effect.reconciled', action: 0, attempt: 1, found, lookAgainAtMs: null, sealed: { output: {}, message: '' } },
  ]
  const cases: readonly (readonly [string, readonly RunEvent[], string])[] = [
    ['under way', [], `touched: ${what}; under way, its outcome is not known yet`],
    ['a refusal of the far side', [failed(0, 'recipient rejected')], `tried: ${what}; failed: recipient rejected`],
    [
      'nobody knows yet',
      looked('absent').slice(0, 1),
      `tried: ${what}; it may or may not have happened, and is being looked for`,
    ],
    ['found at the far side', looked('happened'), `touched: ${what}; the answer was lost, so it was looked for at the far side`],
    ['there twice', looked('doubled'), `touched: ${what}; it is in the world more than once`],
    ['nobody can tell', looked('unknown'), `tried: ${what}; failed: nobody can tell whether it happened`],
    [
      'tried again later',
      [failed(0, 'busy', 'safe'), { type: 'retry.scheduled', action: 0, atMs: 1 }],
      `tried: ${what}; not done (busy), and will be tried again`,
    ],
  ]
  test.each(cases)('%s', (_, events, expected) => {
    expect(last(events)).toBe(expected)
  })

  test('what was hidden in an answer is said', () => {
    const read = finished(0, {}, { findings: [{ path: '/attachments/0/text', kind: 'hidden_markup' }], complete: false })
    expect(lines([...READ.slice(0, 3), read])).toEqual([
      'saw: Read a ticket: t-1003; the answer was cut short',
      'saw: Hidden in that answer, and taken out before anything read it: markup that a reader would not see, at /attachments/0/text',
    ])
  })

  test('what was taken back is told where it was touched and where it was undone', () => {
    const back = proposed(2, 'desk.refund.cancel', { refundId: 'rf-1' }, { purpose: 'compensate', compensates: 1 })
    const events: readonly RunEvent[] = [
      ...DONE,
      { type: 'run.failing', failure: 'connector_semantic', sealed: { reason: 'the mail bounced' } },
      back,
      decided(2, 'allow'),
      started(2),
      finished(2, {}),
      { type: 'effect.verified', action: 2, holds: true, sealed: { detail: '' } },
      ended('undone', 'connector_semantic'),
    ]
    expect(lines(events).slice(3)).toEqual([
      `touched: ${PHRASE}; taken back later, by action 2`,
      'decided: Cancel a refund: rf-1 -> allowed, because reading is fine [reads]',
      'undone: Cancel a refund: rf-1; seen to be back as it was',
    ])
    expect(tell(events).headline).toBe(
      'Not done: the other system refused (the mail bounced). What it had changed was taken back.',
    )
  })

  test('a queue item is left for a person until somebody resolves it', () => {
    const item: RunEvent = {
      type: 'queue.added',
      item: 'q-1',
      kind: 'blocked',
      action: null,
      effect: null,
      sealed: { title: 'Blocked', detail: 'policy said no' },
    }
    expect(lines([item])).toEqual(['left: Blocked. policy said no (q-1)'])
    expect(lines([item, { type: 'queue.resolved', item: 'q-1', by: 'user:mei', sealed: { why: 'seen' } }])).toEqual([])
  })
})

describe('headlines', () => {
  const cases: readonly (readonly [readonly RunEvent[], string])[] = [
    [READ, 'Under way.'],
    [ASK, 'Waits for a person. Nothing was changed.'],
    [[...DONE, ended('completed')], 'Done, and seen to be done. 1 change stands.'],
    [[...DONE, ended('completed'), { type: 'run.undone', by: 'r2' }], 'Done, and taken back later by run r2.'],
    [[ended('stopped', 'stopped')], 'Stopped by a person. Nothing was changed.'],
    [[ended('escalated')], 'Handed to a person, since it was not sure enough. Nothing was changed.'],
    [[{ type: 'run.held', stop: 's-1' }], 'Held by stop s-1. Nothing was changed.'],
    [[ended('failed', 'policy_denial')], 'Not done: policy said no. Nothing was changed.'],
  ]
  test.each(cases)('%# %s', (events, expected) => {
    expect(tell(events).headline).toBe(expected)
  })

  test('a run that undoes another says so', () => {
    expect(tell([ended('completed')], opened('r2', { undoes: 'r1' })).headline).toBe(
      'Taken back: what run r1 had changed is seen to be as it was.',
    )
  })

  test('every failure has words', () => {
    for (const kind of FAILURE_KINDS) expect(phraseFailure(kind)).toMatch(/\w{3}/)
  })
})

test('who asked, and for whom, comes first', () => {
  expect(tell([]).lines[0]?.text).toBe('support-billing was asked by support-desk (evt-1), on behalf of user:otto')
  expect(tell([], opened('r2', { undoes: 'r1' })).lines[0]?.text).toBe('Somebody asked to undo run r1, on behalf of user:otto')
})

test('an amount in an unknown or ambiguous currency is told without one', () => {
  const events = [
    ...READ.slice(0, 3),
    finished(0, { a: { currency: 'EUR' }, b: { currency: 'JPY' } }),
    proposed(1, 'desk.refund.create', REFUND),
    decided(1, 'deny', HIGH),
  ]
  expect(lines(events)[1]).toContain('inv-5004, 480.00,')
  const yen = [
    ...READ.slice(0, 3),
    finished(0, { a: { currency: 'JPY' } }),
    proposed(1, 'desk.refund.create', REFUND),
    decided(1, 'deny', HIGH),
  ]
  expect(lines(yen)[1]).toContain('inv-5004, JPY 48000,')
})

test('what the planner noted is told in words, and which branch it took is not', () => {
  const note = (node: string, value: Json): RunEvent => ({ type: 'plan.noted', node, sealed: { value, origins: ['user'] } })
  const noted = [
    note('intent', { class: 'refund', confidence: 9_500 }),
    note('branch', { next: 'wanted' }),
    note('amount', { amount: { minor: 48_000, currency: 'EUR' } }),
  ]
  expect(lines([...noted, note('list', [1, 2])])).toEqual(['understood: refund (95 % sure); amount EUR 480.00; list 1 and 2'])
})

test('what the planner understood stands between what it looked at and what it proposed', () => {
  const noted: RunEvent = {
    type: 'plan.noted',
    node: 'find-invoice',
    confidence: 10_000,
    sealed: { value: { invoiceId: 'inv-5004', billingAddress: 'Gran V\u00eda 45' }, origins: ['user'] },
  }
  expect(lines([noted, ...DONE])).toEqual([
    'saw: Read a ticket: t-1003',
    'understood: invoice inv-5004, billing address Gran V\u00eda 45',
    ...lines(DONE).slice(1),
  ])
})

test('what the headline says is not said again of what is left', () => {
  const events: readonly RunEvent[] = [
    { type: 'run.failing', failure: 'connector_semantic', sealed: { reason: 'the mail bounced' } },
    {
      type: 'queue.added',
      item: 'q-1',
      kind: 'unfinished',
      action: null,
      effect: null,
      sealed: { title: 'Not done, and left for a person', detail: 'the mail bounced' },
    },
  ]
  expect(lines(events)).toEqual(['left: Not done, and left for a person (q-1)'])
})
