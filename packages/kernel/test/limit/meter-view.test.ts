import { METER_VIEW_KEYS, type MeterView, viewMeter } from '@tidegate/kernel'
import { table } from '@tidegate/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createMeterSpace } from '../../src/limit/meter-space.ts'
import { act, bookOf, createLedger, done, failed, FINISHED, look, meter, op, opened } from './run-events.ts'

const HOUR = 3_600_000

/** What a view says of the largest keys: `key=value(reserved)`. */
function told(view: MeterView | undefined): string {
  return (view?.largest ?? []).map(({ kind, key, value, reserved }) => `${kind}:${key}=${value}(${reserved})`).join(' ')
}

const kinds = table(`
  per       | told                    | why
  global    | all:=2(0)               | everybody
  agent     | name:agent-1=2(0)       | who acts
  user      | name:user:ann=2(0)      | for whom
  workflow  | name:w=2(0)             | in which workflow
  tool      | name:desk=2(0)          | with what
  operation | name:desk.set=2(0)      | what
  /id       | none:=1(0) hash:#7=1(0) | an argument, and a call without it
`)

describe('a view of the meters', () => {
  test.each(kinds)('per $per: $why', ({ per = '', told: expected }) => {
    const book = bookOf([meter('m', { per: per as 'agent' })])
    const ledger = createLedger(book)
    ledger.append('r', [opened('r')], 1_000)
    act(book, ledger, 'r', 'desk.set', { args: { id: 7 } })
    act(book, ledger, 'r', 'desk.set')
    expect(told(book.view(1_000)[0])).toBe(expected)
  })

  test('shows what is reserved until it is recorded or released', () => {
    const book = bookOf([meter('m', { sum: '/amount' })])
    const ledger = createLedger(book)
    ledger.append('r', [opened('r')], 1_000)
    const state = ledger.state('r')
    const request = { state, waiting: [], action: 0, isNew: true, operation: op('desk.set'), arguments: { amount: 30 } }
    book.reserve(request, 1_000)
    expect(told(book.view(1_000)[0])).toBe('name:agent-1=30(30)')
    book.release('r')
    expect(book.view(1_000)[0]).toMatchObject({ keys: 0, largest: [] })
    act(book, ledger, 'r', 'desk.set', { args: { amount: 30 } })
    expect(told(book.view(1_000)[0])).toBe('name:agent-1=30(0)')
    ledger.append('r', [failed(0, 1, 'never')], 1_000)
    expect(book.view(1_000)[0]).toMatchObject({ keys: 0, largest: [] })
  })

  test('forgets what has left the window, and takes the later of the clock and the journal', () => {
    const book = bookOf([meter('m'), meter('for-ever', { window: { kind: 'ever' } })])
    const ledger = createLedger(book)
    ledger.append('r', [opened('r')], 1_000)
    act(book, ledger, 'r', 'desk.set', { atMs: HOUR })
    expect(book.view(0).map(told)).toEqual(['name:agent-1=1(0)', 'name:agent-1=1(0)'])
    expect(book.view(2 * HOUR + 1_000).map(told)).toEqual(['', 'name:agent-1=1(0)'])
    expect(book.view(HOUR).map(told)).toEqual(['name:agent-1=1(0)', 'name:agent-1=1(0)'])
    ledger.append('other', [opened('other')], 3 * HOUR)
    expect(book.view(HOUR).map(told)).toEqual(['', 'name:agent-1=1(0)']) // the journal knows that it is later
  })

  test('has no value for what is counted in each run', () => {
    const book = bookOf([meter('m', { window: { kind: 'run' } })])
    const ledger = createLedger(book)
    ledger.append('r', [opened('r')], 1_000)
    act(book, ledger, 'r', 'desk.set')
    expect(book.view(1_000)).toMatchObject([{ meter: { name: 'm' }, keys: 0, largest: [] }])
  })

  test('an anomaly shows the deviation of the current bucket', () => {
    const anomaly = { bucketMs: HOUR, baselineMs: 100 * HOUR, minimum: 1 }
    const book = bookOf([meter('m', { anomaly, window: { kind: 'sliding', ms: 100 * HOUR } })])
    const ledger = createLedger(book)
    ledger.append('r', [opened('r')], 0)
    for (let hour = 0; hour < 9; hour++) act(book, ledger, 'r', 'desk.set', { atMs: hour * HOUR })
    for (let i = 0; i < 5; i++) act(book, ledger, 'r', 'desk.set', { atMs: 9 * HOUR })
    expect(told(book.view(9 * HOUR)[0])).toBe('name:agent-1=400(0)')
  })

  test('names the largest keys, equal ones by name, and counts the others', () => {
    const book = bookOf([meter('m', { per: 'user' })])
    const ledger = createLedger(book)
    const users = Array.from({ length: METER_VIEW_KEYS + 5 }, (_, i) => `u${String(i).padStart(2, '0')}`)
    for (const [i, user] of users.toReversed().entries()) {
      ledger.append(user, [opened(user, { user })], 1_000)
      for (let times = 0; times < (i === 3 || i === 20 ? 2 : 1); times++) act(book, ledger, user, 'desk.set')
    }
    const view = book.view(1_000)[0]
    expect(view?.keys).toBe(25)
    const keys = view?.largest.map(({ key }) => key)
    expect(keys).toEqual(['u04', 'u21', ...users.filter((user) => user !== 'u04' && user !== 'u21').slice(0, 18)])
  })

  test('what a meter counts for keys that are too many is shown as that', () => {
    const space = createMeterSpace(1_000, 1)
    for (const user of ['u1', 'u2', 'u3']) space.open(user).pending += 1
    expect(told(viewMeter(meter('m', { per: 'user' }), space.entries(), ({ pending }) => pending))).toBe(
      'rest:=2(2) name:u1=1(1)',
    )
  })

  test('law: it shows what a decision would be told without the action itself, and changes nothing', () => {
    const steps = fc.array(
      fc.record({ user: fc.nat(3), ms: fc.nat(2 * HOUR), amount: fc.nat(50), isView: fc.boolean(), isOver: fc.boolean() }),
      { maxLength: 25 },
    )
    const meters = [
      meter('effects', { per: 'user' }),
      meter('sums', { per: 'user', sum: '/amount', window: { kind: 'sliding', ms: 600_000 } }),
      meter('day', { per: 'user', window: { kind: 'calendar', unit: 'day' } }),
    ]
    fc.assert(
      fc.property(steps, (list) => {
        const looked = bookOf(meters)
        const plain = bookOf(meters)
        const both = [looked, plain].map((book) => ({ book, ledger: createLedger(book) }))
        let atMs = 0
        for (const [i, { user, ms, amount, isView, isOver }] of list.entries()) {
          atMs += ms
          const run = `r${i}`
          for (const { book, ledger } of both) {
            ledger.append(run, [opened(run, { user: `u${user}` })], atMs)
            act(book, ledger, run, 'desk.set', { args: { amount }, atMs })
            ledger.append(run, isOver ? [done(0), FINISHED] : [done(0)], atMs)
          }
          if (isView) looked.view(atMs + HOUR)
          const views = looked.view(atMs)
          expect(looked.dump()).toEqual(plain.dump())
          const probe = `p${i}`
          for (const { ledger } of both) ledger.append(probe, [opened(probe, { user: `u${user}` })], atMs)
          const state = both[0]?.ledger.state(probe)
          if (state === undefined) throw new Error('the probe was just opened')
          const values = look(looked, state, 'desk.set', { args: { amount: 0 }, nowMs: atMs })
          const shown = views.map(({ largest }) => largest.find(({ key }) => key === `u${user}`)?.value ?? 0)
          expect(shown).toEqual([(values.effects ?? 0) - 1, values.sums, (values.day ?? 0) - 1])
          for (const { ledger } of both) ledger.append(probe, [FINISHED], atMs)
        }
      }),
      { numRuns: 40 },
    )
  })
})
