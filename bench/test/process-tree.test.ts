import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { parseStat, treeCpuSeconds, treeMemoryMb } from '../src/process-tree.ts'

describe('/proc/<pid>/stat', () => {
  test.each([
    ['a plain name', '42 (node) S 7 42 42 0 -1 0 0 0 0 0 11 22 33 44 20 0', { pid: 42, parentPid: 7, ticks: 110 }],
    [
      'a name with spaces and brackets',
      '9 (a) S 1 (b)) R 3 9 9 0 -1 0 0 0 0 0 1 2 3 4 20 0',
      { pid: 9, parentPid: 3, ticks: 10 },
    ],
  ])('is read right with %s', (_what, stat, expected) => {
    expect(parseStat(stat)).toEqual(expected)
  })
})

describe.runIf(process.platform === 'linux')('a tree', () => {
  test('counts the time and the memory of a child', async () => {
    const before = { seconds: treeCpuSeconds(process.pid), mb: treeMemoryMb(process.pid) }
    const source = `const kept = Buffer.alloc(100e6, 1); const end = Date.now() + 300; while (Date.now() < end) {} console.log(kept.length); setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'ignore'] })
    try {
      await once(child.stdout, 'data')
      expect(treeMemoryMb(process.pid) - before.mb).toBeGreaterThan(80)
      expect(treeCpuSeconds(process.pid) - before.seconds).toBeGreaterThan(0.05)
      expect(treeCpuSeconds(child.pid ?? 0)).toBeLessThan(treeCpuSeconds(process.pid))
    } finally {
      child.kill('SIGKILL')
    }
  })
})
