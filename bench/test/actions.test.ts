import { describe, expect, test } from 'vitest'
import { type ActionsResult, ratios } from '../src/actions.ts'
import type { Measurement } from '../src/report-line.ts'
import { renderTable } from '../src/table.ts'

const measured = (name: string, perSecond: number): Measurement => ({
  name,
  version: '1.2.3',
  inFlight: 64,
  actions: 1_000,
  perSecond,
  p50Ms: 1.234,
  p99Ms: 9.876,
  cpuSecondsPerAction: 0.00005,
  rssMb: 66,
  durable: name === 'lax' ? 'no: it never waits' : 'fsync',
  notes: 'a note',
})

describe('the ratio', () => {
  test('is ours over each measured peer', () => {
    const peers = [
      measured('slow', 500),
      measured('dead', 0),
      { name: 'absent', skipped: 'not installed' },
      { name: 'broken', failed: 'crashed' },
    ]
    expect(ratios(measured('ours', 20_000), peers)).toEqual({ slow: 40 })
  })

  test('is empty without ours', () => {
    expect(ratios({ name: 'ours', skipped: 'not asked for' }, [measured('slow', 500)])).toEqual({})
  })
})

describe('the table', () => {
  const result: ActionsResult = {
    machine: {
      cores: 2,
      node: '24.0.0',
      cpu: 'a processor',
      platform: 'linux x64',
      memoryGb: 8,
      loadBefore: 0.5,
      storage: 'disk',
    },
    ours: {
      perSecond: 20_000,
      p50Ms: 2,
      p99Ms: 9,
      constantPolicy: measured('ours, constant policy', 20_000),
      everything: measured('ours, everything on', 5_000),
      oneInFlight: measured('ours, one in flight', 3_000),
      fsyncP50Ms: 0.2,
      ratioToFsync: 1.5,
    },
    floor: measured('floor', 50_000),
    peers: [measured('lax', 1_000), { name: 'absent', skipped: 'not installed' }, { name: 'broken', failed: 'crashed' }],
    ratio: { lax: 20 },
  }
  const lines = renderTable(result).split('\n')

  test('has a row for each measured contender, aligned', () => {
    const rows = lines.filter((line) => / (fsync|no) {2}| (fsync|no)$/.test(line))
    expect(rows.length).toBe(5)
    expect(new Set(rows.map((row) => row.search(/ (fsync|no)\b/) + (row.includes(' no') ? 0 : 3))).size).toBeLessThanOrEqual(2)
    expect(rows.at(-1)).toMatch(/^lax .* 1000 .* no +20 x$/)
  })

  test.each([
    'absent: skipped: not installed',
    'broken: FAILED: crashed',
    'lax: 1.2.3; a note; durable: no: it never waits',
    'one fsync of 4 KB: 0.2 ms p50',
    'one action in flight costs 1.5 of these',
  ])('says "%s"', (line) => {
    expect(lines).toContain(line)
  })
})
