import { describe, expect, test } from 'vitest'
import { BenchError } from '../src/error.ts'
import { isMeasurement, isSkipped, parseReportLine } from '../src/report-line.ts'

const good = {
  name: 'ours',
  version: '1',
  inFlight: 64,
  actions: 10,
  perSecond: 5.5,
  p50Ms: 1,
  p99Ms: 2,
  cpuSecondsPerAction: 0.001,
  rssMb: 50,
  durable: 'fsync',
  notes: '',
}

describe('the line a contender prints', () => {
  test('is taken as it is, without unknown keys', () => {
    const report = parseReportLine(JSON.stringify({ ...good, secret: 'x' }))
    expect(report).toEqual(good)
    expect(isMeasurement(report)).toBe(true)
  })

  test('may say why there is nothing to measure', () => {
    const report = parseReportLine('{"name":"dbos","skipped":"no PostgreSQL"}')
    expect(report).toEqual({ name: 'dbos', skipped: 'no PostgreSQL' })
    expect(isSkipped(report)).toBe(true)
  })

  test.each([
    ['nothing', ''],
    ['a text', '"fast"'],
    ['a list', '[]'],
    ['null', 'null'],
    ['a missing number', JSON.stringify({ ...good, perSecond: undefined })],
    ['a number as text', JSON.stringify({ ...good, perSecond: '5' })],
    ['a negative number', JSON.stringify({ ...good, p50Ms: -1 })],
    ['an infinite number', JSON.stringify(good).replace('5.5', '1e999')],
    ['a missing name', JSON.stringify({ ...good, name: undefined })],
    ['a text without end', JSON.stringify({ ...good, notes: 'x'.repeat(2_001) })],
    ['a durability that is neither yes nor a reasoned no', JSON.stringify({ ...good, durable: 'mostly' })],
    ['a reason that is no text', '{"name":"dbos","skipped":1}'],
  ])('is refused if it is or has %s', (_why, line) => {
    expect(() => parseReportLine(line)).toThrow(expect.objectContaining({ constructor: BenchError, code: 'report_invalid' }))
  })
})
