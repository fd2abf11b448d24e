import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parseCommand } from '../src/command-line.ts'
import { renderExecTable } from '../src/exec/exec-table.ts'
import { parseExecLine, summariseExec } from '../src/exec/figures.ts'
import { type ExecResult, over } from '../src/exec/measure-exec.ts'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const latency = (p50Ms: number) => ({ p50Ms, p99Ms: p50Ms * 2, minMs: p50Ms / 2, commands: 10 })
const figures = (p50Ms: number) => ({ backToBack: latency(p50Ms), paced: latency(p50Ms + 1) })

test('the command line', () => {
  expect(parseCommand(['exec'])).toEqual({ kind: 'exec', commands: 300, pauseMs: 10, json: false })
  expect(parseCommand(['exec', '--commands', '5', '--pause', '2', '--json'])).toEqual({
    kind: 'exec',
    commands: 5,
    pauseMs: 2,
    json: true,
  })
  for (const line of [
    ['--commands', '0'],
    ['--pause', '-1'],
    ['--only', 'ours'],
  ]) {
    expect(() => parseCommand(['exec', ...line])).toThrow(expect.objectContaining({ code: 'arguments_invalid' }))
  }
})

test('sums up by nearest rank', () => {
  expect(summariseExec({ backToBack: [3, 1, 2], paced: [] })).toEqual({
    backToBack: { p50Ms: 2, p99Ms: 3, minMs: 1, commands: 3 },
    paced: { p50Ms: 0, p99Ms: 0, minMs: 0, commands: 0 },
  })
})

describe('the line of the peer', () => {
  test('is figures, or why there are none', () => {
    expect(parseExecLine(JSON.stringify({ ...figures(1), more: 1 }))).toEqual(figures(1))
    expect(parseExecLine('{"skipped":"no ripgrep"}')).toEqual({ skipped: 'no ripgrep' })
  })

  test.each(['', '[', 'null', '{}', '{"backToBack":{}}', JSON.stringify({ ...figures(1), paced: { ...latency(1), p99Ms: -1 } })])(
    '%j is refused',
    (line) => {
      expect(() => parseExecLine(line)).toThrow(expect.objectContaining({ code: 'report_invalid' }))
    },
  )
})

test('the difference is that of the medians, where there are both', () => {
  expect(over(figures(1.5), figures(1))).toEqual({ backToBackMs: 0.5, pacedMs: 0.5 })
  expect(over(null, figures(1))).toBe(null)
})

test('the table names whoever could not take part', () => {
  const result: ExecResult = {
    machine: { cores: 2, node: '24', cpu: 'x', platform: 'linux', memoryGb: 1, loadBefore: 0, storage: 'disk' },
    commands: 10,
    pauseMs: 10,
    rows: [
      { name: 'a', notes: 'first', ...figures(1) },
      { name: 'b', notes: 'second', skipped: 'not installed' },
      { name: 'c', notes: 'third', failed: 'broke' },
    ],
    warmOver: { fresh: { backToBackMs: 0.1, pacedMs: 0.2 }, subshell: null },
    cold: { p50Ms: 9 },
  }
  const table = renderExecTable(result)
  for (const words of [
    'a: first',
    'b: skipped: not installed',
    'c: FAILED: broke',
    '0.1 ms p50, paced 0.2 ms',
    'not measured',
    '9 ms p50',
  ]) {
    expect(table).toContain(words)
  }
})

test('exec runs every contender of ours and prints one JSON document', async () => {
  const stdout = await new Promise<string>((resolve) => {
    execFile(process.execPath, [MAIN, 'exec', '--commands', '10', '--pause', '1', '--json'], (_, out) => resolve(out))
  })
  const result: ExecResult = JSON.parse(stdout)
  const own = result.rows.filter(({ name }) => name !== 'sandbox-runtime')
  expect(own.map(({ name }) => name)).toEqual([
    'plain subshell',
    'plain fresh shell',
    'ours, warm',
    'plain spawn',
    'bwrap, bare',
    'ours, cold',
  ])
  for (const row of own)
    expect(row).toMatchObject({ backToBack: { commands: 10, p50Ms: expect.any(Number) }, paced: { commands: 10 } })
  expect(result.warmOver.fresh).not.toBe(null)
  expect(result.cold?.p50Ms).toBeGreaterThan(0)
}, 60_000)
