import { AMOUNT_MAX, type Meter, meterNames, type RunEvent } from '@tidegate/kernel'
import { table } from '@tidegate/testkit'
import { describe, expect, test } from 'vitest'
import {
  act,
  ambiguous,
  bookOf,
  createLedger,
  decided,
  done,
  failed,
  FINISHED,
  look,
  meter,
  op,
  opened,
  proposed,
  reconciled,
  retried,
  started,
} from './run-events.ts'

const HOUR = 3_600_000

const WORDS: Readonly<Record<string, (n: number) => readonly RunEvent[]>> = {
  start: (n) => [proposed(n, 'desk.set'), decided(n, 'allow'), started(n)],
  again: (n) => [decided(n, 'allow'), started(n, 2)],
  read: (n) => [proposed(n, 'desk.read'), decided(n, 'allow'), started(n)],
  done: (n) => [done(n)],
  safe: (n) => [failed(n, 1, 'safe'), retried(n)],
  never: (n) => [failed(n, 1, 'never')],
  unsure: (n) => [failed(n, 1, 'unknown'), ambiguous(n)],
  crash: (n) => [{ type: 'effect.ambiguous', action: n, attempt: 1, why: 'crashed' }],
  happened: (n) => [reconciled(n, 'happened')],
  absent: (n) => [reconciled(n, 'absent')],
  doubled: (n) => [reconciled(n, 'doubled')],
  repeatable: (n) => [reconciled(n, 'repeatable'), retried(n)],
  later: (n) => [reconciled(n, 'unknown', 9)],
  unknown: (n) => [reconciled(n, 'unknown')],
  denied: (n) => [proposed(n, 'desk.set'), decided(n, 'deny')],
}

const counting = table(`
  events                           | calls | effects | successes | failures | denials | why
  start done                       | 1     | 1       | 1         | 0        | 0       | the ordinary way
  read done                        | 1     | 0       | 1         | 0        | 0       | a read is a call and no effect
  denied                           | 0     | 0       | 0         | 0        | 1       | what does not run is no call
  start                            | 1     | 1       | 0         | 0        | 0       | counted from the start
  start never                      | 1     | 0       | 0         | 1        | 0       | certainly nothing: given back
  start safe again done            | 2     | 1       | 1         | 1        | 0       | two calls, one effect
  start unsure                     | 1     | 1       | 0         | 1        | 0       | it may have happened: it counts
  start crash                      | 1     | 1       | 0         | 0        | 0       | our crash is no failure of theirs
  start unsure later               | 1     | 1       | 0         | 1        | 0       | nobody knows yet
  start unsure unknown             | 1     | 1       | 0         | 1        | 0       | nobody will know
  start unsure happened            | 1     | 1       | 1         | 1        | 0       | looked for and found
  start unsure absent              | 1     | 0       | 0         | 1        | 0       | looked for and absent: given back
  start unsure doubled             | 1     | 2       | 1         | 1        | 0       | in the world twice: counted twice
  start unsure repeatable again never | 2  | 1       | 0         | 2        | 0       | the first attempt stays in doubt
  start unsure repeatable again done | 2   | 1       | 1         | 1        | 0       | one key, one effect
  start done start done denied     | 2     | 2       | 2         | 0        | 1       | they add up
`)

const SOURCES = ['calls', 'effects', 'successes', 'failures', 'denials'] as const

describe('what counts', () => {
  const inWindow = SOURCES.map((of) => meter(of, { of, self: false }))
  const inRun = SOURCES.map((of) => meter(`${of}-run`, { of, self: false, window: { kind: 'run' } }))

  test.each(counting)('$events: $why', ({ events = '', ...expected }) => {
    const book = bookOf([...inWindow, ...inRun])
    const ledger = createLedger(book)
    ledger.append('r', [opened('r')], 1_000)
    let n = -1
    for (const word of events.split(' ')) {
      if (['start', 'read', 'denied'].includes(word)) n += 1
      ledger.append('r', WORDS[word]?.(n) ?? [], 1_000)
    }
    const values = look(book, ledger.state('r'), 'desk.other')
    for (const source of SOURCES) expect([source, values[source]]).toEqual([source, Number(expected[source])])
    for (const source of SOURCES) expect([source, values[`${source}_run`]]).toEqual([source, Number(expected[source])])
  })
})

const scopes = table(`
  per       | value | why
  global    | 4     | everybody, and this one
  agent     | 3     | agent-1 did two
  user      | 3     | ann did two
  workflow  | 2     | w2 did one
  tool      | 4     | all by the desk
  operation | 3     | desk.set was called twice
  run       | 1     | this run has done nothing
  /id       | 2     | one was about record 7
`)

test.each(scopes)('per $per: $why', ({ per = '', value }) => {
  const book = bookOf([meter('m', { of: 'calls', per: per as Meter['per'] })])
  const ledger = createLedger(book)
  ledger.append('a', [opened('a')], 1)
  ledger.append('b', [opened('b', { workflow: 'w2' })], 1)
  ledger.append('c', [opened('c', { agent: 'agent-2', user: 'user:bob' })], 1)
  ledger.append('d', [opened('d', { workflow: 'w2' })], 1)
  act(book, ledger, 'a', 'desk.set', { args: { id: 7 } })
  act(book, ledger, 'b', 'desk.set', { args: { id: 8 } })
  act(book, ledger, 'c', 'desk.get', { args: { id: '7' } })
  expect(look(book, ledger.state('d'), 'desk.set', { args: { id: 7 } }).m).toBe(Number(value))
})

describe('a sum', () => {
  const sums = [meter('m', { sum: '/amount', operations: ['desk.refund'] })]

  test('includes the action, and keeps its amount with the start', () => {
    const book = bookOf(sums)
    const ledger = createLedger(book)
    ledger.append('a', [opened('a')], 1)
    expect(act(book, ledger, 'a', 'desk.refund', { args: { amount: 150 } })).toMatchObject({
      values: { m: 150 },
      metered: { sums: { '/amount': 150 } },
    })
    expect(act(book, ledger, 'a', 'desk.note', { args: { amount: 999 } })).toMatchObject({
      values: { m: 150 },
      metered: undefined,
    })
    expect(act(book, ledger, 'a', 'desk.refund', { args: { amount: 0.2 } }).values.m).toBe(151)
  })

  test.each([[{}], [{ amount: -5 }], [{ amount: '5' }], [{ amount: null }], [{ amount: [1] }]])(
    'of what cannot be told is over every limit: %j',
    (args) => {
      const book = bookOf(sums)
      const ledger = createLedger(book)
      ledger.append('a', [opened('a')], 1)
      expect(act(book, ledger, 'a', 'desk.refund', { args }).values.m).toBe(AMOUNT_MAX)
      expect(look(book, ledger.state('a'), 'desk.refund', { args: { amount: 1 } }).m).toBe(AMOUNT_MAX + 1)
    },
  )
})

describe('a reservation', () => {
  const book = () => bookOf([meter('m')])

  test('M1: of sixty-four at once, each sees those before it, and a limit of ten lets ten through', () => {
    const one = book()
    const ledger = createLedger(one)
    const runs = Array.from({ length: 64 }, (_, i) => `r${i}`)
    for (const run of runs) ledger.append(run, [opened(run)], 1)
    const allowed = runs.filter((run) => {
      const request = { state: ledger.state(run), waiting: [], action: 0, isNew: true, operation: op('desk.set'), arguments: {} }
      const isAllowed = (one.reserve(request, 1).values.m ?? 0) <= 10
      if (!isAllowed) one.release(run)
      return isAllowed
    })
    expect(allowed).toHaveLength(10)
    for (const run of allowed) ledger.append(run, [proposed(0, 'desk.set'), decided(0, 'allow'), started(0)], 2)
    expect(look(one, ledger.state('r63'), 'desk.set').m).toBe(11)
  })

  test('is released once, and a second one replaces the first', () => {
    const one = book()
    const ledger = createLedger(one)
    ledger.append('a', [opened('a')], 1)
    ledger.append('b', [opened('b')], 1)
    const request = { state: ledger.state('a'), waiting: [], action: 0, isNew: true, operation: op('desk.set'), arguments: {} }
    for (let i = 0; i < 5; i++) one.reserve(request, 1)
    expect(look(one, ledger.state('b'), 'desk.set').m).toBe(2)
    one.release('a')
    one.release('a')
    expect(look(one, ledger.state('b'), 'desk.set').m).toBe(1)
  })

  test('does nothing once its start is counted', () => {
    const one = book()
    const ledger = createLedger(one)
    ledger.append('a', [opened('a')], 1)
    act(one, ledger, 'a', 'desk.set')
    one.release('a')
    expect(look(one, ledger.state('a'), 'desk.set').m).toBe(2)
  })

  test('M4: stays when nobody knows whether the start was recorded, until the next record of the run', () => {
    const one = book()
    const ledger = createLedger(one)
    ledger.append('a', [opened('a')], 1)
    ledger.append('b', [opened('b')], 1)
    one.reserve({ state: ledger.state('a'), waiting: [], action: 0, isNew: true, operation: op('desk.set'), arguments: {} }, 1)
    one.suspend('a')
    one.release('a')
    expect(look(one, ledger.state('b'), 'desk.set').m).toBe(2)
    ledger.append('a', [proposed(0, 'desk.set')], 2) // it was not recorded
    expect(look(one, ledger.state('b'), 'desk.set').m).toBe(1)
  })

  test('survives the turn of generations while a slow disk keeps it waiting', () => {
    const one = bookOf([meter('m', { window: { kind: 'sliding', ms: 100 } })])
    const ledger = createLedger(one)
    for (const run of ['a', 'b', 'c']) ledger.append(run, [opened(run, { agent: run === 'c' ? 'other' : 'agent-1' })], 1)
    one.reserve({ state: ledger.state('a'), waiting: [], action: 0, isNew: true, operation: op('desk.set'), arguments: {} }, 1)
    for (let atMs = 10; atMs < 2_000; atMs += 90) act(one, ledger, 'c', 'desk.set', { atMs })
    expect(look(one, ledger.state('b'), 'desk.set', { nowMs: 2_000 }).m).toBe(2)
  })
})

describe('time', () => {
  test('M3: a clock ahead of the journal frees nothing for later; one behind frees nothing at all', () => {
    const book = bookOf([meter('m')])
    const ledger = createLedger(book)
    ledger.append('a', [opened('a')], 1_000)
    act(book, ledger, 'a', 'desk.set', { atMs: 2_000 })
    const at = (nowMs: number) => look(book, ledger.state('a'), 'desk.set', { nowMs }).m
    expect([at(2_000), at(2_000 + 3 * HOUR), at(2_000), at(-5 * HOUR)]).toEqual([2, 1, 2, 2])
  })

  test('M3: an hour that is unusual stays so although the clock goes back to the one before', () => {
    const book = bookOf([meter('m', { anomaly: { bucketMs: HOUR, baselineMs: 20 * HOUR, minimum: 1 } })])
    const ledger = createLedger(book)
    ledger.append('a', [opened('a')], HOUR)
    for (let hour = 1; hour <= 9; hour++) {
      for (let i = 0; i < (hour === 9 ? 4 : 1); i++) act(book, ledger, 'a', 'desk.set', { atMs: hour * HOUR })
    }
    const at = (nowMs: number) => look(book, ledger.state('a'), 'desk.set', { nowMs }).m
    expect([at(9 * HOUR), at(8 * HOUR), at(10 * HOUR)]).toEqual([400, 400, 0])
  })

  test('a calendar window begins anew, and gives back only what it holds', () => {
    const book = bookOf([meter('m', { window: { kind: 'calendar', unit: 'day' } })])
    const ledger = createLedger(book)
    ledger.append('a', [opened('a')], 1_000)
    act(book, ledger, 'a', 'desk.set', { atMs: 86_399_000 })
    const at = (nowMs: number) => look(book, ledger.state('a'), 'desk.set', { nowMs }).m
    expect([at(86_399_999), at(86_400_000)]).toEqual([2, 1])
    act(book, ledger, 'a', 'desk.set', { atMs: 86_400_001, waiting: [done(0)] })
    ledger.append('a', [failed(1, 1, 'never')], 86_400_002)
    expect(at(86_400_003)).toBe(1)
  })

  test('what waits to be recorded counts already', () => {
    const book = bookOf([
      meter('t', { of: 'tokens' }),
      meter('d', { of: 'denials' }),
      meter('s', { of: 'successes', operations: ['desk.read'], self: false, per: '/id' }),
    ])
    const ledger = createLedger(book)
    ledger.append('a', [opened('a')], 1_000)
    act(book, ledger, 'a', 'desk.read', { args: { id: 1 } })
    const called: RunEvent = {
      type: 'model.called',
      model: 'm',
      inputTokens: 30,
      outputTokens: 12,
      costMicros: 5,
      durationMs: 1,
      result: 'text',
      sealed: { request: null, reply: null },
    }
    const waiting = [done(0), called, proposed(1, 'desk.set', { id: 1 }), decided(1, 'deny')]
    const state = ledger.append('a', waiting, 1_000)
    const other = bookOf([
      meter('t', { of: 'tokens' }),
      meter('d', { of: 'denials' }),
      meter('s', { of: 'successes', operations: ['desk.read'], self: false, per: '/id' }),
    ])
    for (const entry of ledger.entries.slice(0, -1)) other.fold(entry)
    const folded = look(book, state, 'desk.set', { args: { id: 1 } })
    expect(folded).toMatchObject({ t: 42, d: 1, s: 1, run_tokens: 42, run_cost_micros: 5, run_steps: 3 })
    expect(look(other, state, 'desk.set', { args: { id: 1 }, waiting })).toEqual(folded)
    expect(look(other, state, 'desk.set', { args: { id: 2 }, waiting }).s).toBe(0)
  })
})

describe('a dump', () => {
  test('together with what came after it counts as everything does', () => {
    const meters = [meter('m'), meter('k', { per: '/id', sum: '/n' }), meter('e', { window: { kind: 'ever' }, per: 'global' })]
    const book = bookOf(meters)
    const ledger = createLedger(book)
    ledger.append('a', [opened('a')], 1)
    act(book, ledger, 'a', 'desk.set', { args: { id: 'x', n: 4 }, atMs: 10 })
    const dump = structuredClone(book.dump())
    ledger.append('a', [failed(0, 1, 'never')], 20) // given back although it was counted before the dump
    act(book, ledger, 'a', 'desk.set', { args: { id: 'x', n: 5 }, atMs: 30 })
    const again = bookOf(meters, dump)
    for (const entry of ledger.entries.slice(dump.next)) expect(again.fold(entry)).toBe('folded')
    const args = { id: 'x', n: 1 }
    expect(look(again, ledger.state('a'), 'desk.set', { args })).toEqual(look(book, ledger.state('a'), 'desk.set', { args }))
    expect(look(again, ledger.state('a'), 'desk.set', { args })).toMatchObject({ m: 2, k: 6, e: 2 })
  })

  test('is refused while an entry is missing', () => {
    const book = bookOf([meter('m')])
    const entry = { index: 0, stream: 'run/a', seq: 1, atMs: 1, events: [opened('a')] }
    book.fold({ ...entry, index: 1, stream: 'run/b', events: [opened('b')] })
    expect([book.isWhole, book.next]).toEqual([false, 0])
    book.fold(entry)
    expect([book.isWhole, book.next]).toEqual([true, 2])
  })
})

test('a finished run is forgotten, an unknown one is asked for, and what was folded is not folded again', () => {
  const book = bookOf([meter('m')])
  const ledger = createLedger(book)
  ledger.append('a', [opened('a')], 1)
  act(book, ledger, 'a', 'desk.set')
  ledger.append('a', [done(0), FINISHED], 2)
  expect(book.seqOf('a')).toBe(0)
  const late = { index: 9, stream: 'run/a', seq: 5, atMs: 3, events: [{ type: 'run.undone', by: 'b' } as const] }
  expect(book.fold(late)).toBe('folded')
  expect(book.fold({ ...late, stream: 'run/z', events: [done(0)] })).toBe('gap')
  ledger.append('b', [opened('b')], 4)
  const [first] = ledger.entries.slice(-1)
  expect(first === undefined ? undefined : book.fold(first)).toBe('folded')
  expect(book.fold({ index: 11, stream: 'run/b', seq: 3, atMs: 4, events: [done(0)] })).toBe('gap')
})

test('policy is always told every name', () => {
  const meters = [meter('a-b', { of: 'cost' }), meter('c', { window: { kind: 'run' }, of: 'asks' })]
  const book = bookOf(meters)
  const ledger = createLedger(book)
  ledger.append('a', [opened('a')], 1)
  expect(Object.keys(look(book, ledger.state('a'), 'desk.set'))).toEqual(meterNames(meters).toSorted())
  expect(meterNames(meters)).toEqual(['run_steps', 'run_tokens', 'run_cost_micros', 'a_b', 'c'])
})
