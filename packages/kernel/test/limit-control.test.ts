import {
  backoffMs,
  CLOSED_BREAKER,
  type Entry,
  EMPTY_CONTROL,
  exhausted,
  foldBreaker,
  foldControl,
  parseStopScope,
  type Stop,
  type StopScope,
  stopFor,
} from '@tidegate/kernel'
import { table } from '@tidegate/testkit'
import { describe, expect, test } from 'vitest'

const limits = { steps: 10, wallMs: 1_000, tokens: 100, costMicros: 50, repeats: 2, approvalMs: 1 }

const budgets = table(`
  steps | tokens | cost | elapsed | waited | over  | why
  9     | 99     | 49   | 999     | 0      | -     | everything just within
  10    | 0      | 0    | 0       | 0      | steps | the last step is used
  0     | 100    | 0    | 0       | 0      | tokens | all tokens
  0     | 0      | 50   | 0       | 0      | model | all money
  0     | 0      | 0    | 1000    | 0      | time  | all time
  0     | 0      | 0    | 9000    | 8500   | -     | waiting for people does not count
`)

describe('a budget', () => {
  test.each(budgets)('$why', ({ steps, tokens, cost, elapsed, waited, over = '' }) => {
    const state = {
      spent: { steps: Number(steps), tokens: Number(tokens), costMicros: Number(cost) },
      openedAtMs: 0,
      waitedMs: Number(waited),
    }
    const used = exhausted(state, limits, Number(elapsed))
    if (over === '') expect(used).toBeUndefined()
    else expect(used).toContain(over)
  })
})

describe('a breaker', () => {
  test('opens after so many failures in a row, and one success closes it', () => {
    let breaker = CLOSED_BREAKER
    for (let i = 0; i < 4; i++) breaker = foldBreaker(breaker, 'fault', 10)
    expect(breaker.openUntilMs).toBe(0)
    breaker = foldBreaker(breaker, 'fault', 10)
    expect(breaker.openUntilMs).toBe(30_010)
    expect(foldBreaker(breaker, 'ok', 11)).toEqual(CLOSED_BREAKER)
  })

  test('pauses double, respect the far side, and end at thirty seconds', () => {
    expect([1, 2, 3, 9, 99].map((attempt) => backoffMs(attempt))).toEqual([200, 400, 800, 30_000, 30_000])
    expect([backoffMs(1, 5_000), backoffMs(1, 900_000)]).toEqual([5_000, 30_000])
  })
})

const stops = table(`
  scope       | covers | why
  global      | yes    | everything
  agent:a     | yes    | its agent
  agent:b     | no     | another agent
  workflow:w  | yes    | its workflow
  tool:desk   | yes    | the tool of the action
  tool:mail   | no     | another tool
  run:r       | yes    | the run itself
  run:s       | no     | another run
`)

describe('a stop', () => {
  test.each(stops)('$scope: $why', ({ scope = '', covers }) => {
    const stop: Stop = { id: 's', scope: scope as StopScope, mode: 'hold', by: 'b', why: 'w', atMs: 0 }
    expect(stopFor([stop], { run: 'r', agent: 'a', workflow: 'w', tool: 'desk' }) === stop).toBe(covers === 'yes')
  })

  test('a killing stop goes before a holding one', () => {
    const hold: Stop = { id: 'h', scope: 'global', mode: 'hold', by: 'b', why: 'w', atMs: 0 }
    const kill: Stop = { ...hold, id: 'k', scope: 'run:r', mode: 'kill' }
    expect(stopFor([hold, kill], { run: 'r', agent: 'a', workflow: 'w' })).toBe(kill)
  })

  test('is folded from the journal, with its epoch', () => {
    const entry = (seq: number, epoch: number, events: Entry['events']): Entry => ({
      index: seq,
      stream: 'control',
      seq,
      atMs: seq,
      epoch,
      events,
      erased: false,
    })
    const raised = foldControl(
      EMPTY_CONTROL,
      entry(1, 1, [{ type: 'stop.raised', stop: 's', scope: 'global', mode: 'hold', by: 'b', why: 'w' }]),
    )
    expect([raised.epoch, raised.stops.length]).toEqual([1, 1])
    const lifted = foldControl(raised, entry(2, 2, [{ type: 'stop.lifted', stop: 's', by: 'b', why: 'w' }]))
    expect([lifted.epoch, lifted.stops.length]).toEqual([2, 0])
  })

  test.each([
    ['global', true],
    ['run:01ABC', true],
    ['agent:spiffe://x/y', true],
    ['everything', false],
    ['run:', false],
    ['run:a b', false],
    ['global\n', false],
  ])('a scope as people write it: %j', (text, valid) => {
    expect(parseStopScope(text) !== undefined).toBe(valid)
  })
})
