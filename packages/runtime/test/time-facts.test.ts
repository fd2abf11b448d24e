import { describe, expect, test } from 'vitest'
import { createTimeFacts } from '../src/time-facts.ts'

describe('hour and weekday are those of the time zone', () => {
  test.each([
    ['UTC', '2026-11-02T12:00:00Z', 12, 1],
    ['UTC', '2026-11-01T23:59:59.999Z', 23, 7],
    ['UTC', '2026-11-02T00:00:00Z', 0, 1],
    ['Europe/Dublin', '2026-07-05T23:30:00Z', 0, 1],
    ['America/New_York', '2026-11-02T03:00:00Z', 22, 7],
    ['Asia/Kolkata', '2026-11-02T18:29:59Z', 23, 1],
    ['Asia/Kolkata', '2026-11-02T18:30:00Z', 0, 2],
    ['Asia/Kathmandu', '2026-11-02T18:14:59Z', 23, 1],
    ['Asia/Kathmandu', '2026-11-02T18:15:00Z', 0, 2],
    ['Europe/Berlin', '2026-10-25T00:59:59Z', 2, 7],
    ['Europe/Berlin', '2026-10-25T01:00:00Z', 2, 7],
    ['Europe/Berlin', '2026-10-25T02:00:00Z', 3, 7],
    ['Australia/Lord_Howe', '2026-10-03T15:29:59Z', 1, 7],
    ['Australia/Lord_Howe', '2026-10-03T15:30:00Z', 2, 7],
  ])('%s at %s', (timeZone, at, hour, weekday) => {
    const nowMs = Date.parse(at)
    expect(createTimeFacts({ timeZone })(nowMs)).toEqual({ nowMs, hour, weekday })
  })
})

test('what was asked before has no part in the answer', () => {
  const timeFacts = createTimeFacts({ timeZone: 'Asia/Kathmandu' })
  const times = Array.from({ length: 300 }, (_, i) => Date.parse('2026-03-28T18:00:00Z') + i * 431_000)
  const fresh = times.map((nowMs) => createTimeFacts({ timeZone: 'Asia/Kathmandu' })(nowMs))
  expect(times.map(timeFacts)).toEqual(fresh)
  expect(times.toReversed().map(timeFacts)).toEqual(fresh.toReversed())
})

test('a time zone that nobody knows is refused', () => {
  expect(() => createTimeFacts({ timeZone: 'Europe/Atlantis' })).toThrow(RangeError)
})
